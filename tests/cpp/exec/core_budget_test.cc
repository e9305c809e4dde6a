// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/core_budget.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include "maas/base/error.h"

namespace maas {
namespace {

namespace fs = std::filesystem;

// A folder that looks like /sys/fs/cgroup.
class CoreBudgetTest : public ::testing::Test {
 protected:
  CoreBudgetTest() {
    std::string name = (fs::temp_directory_path() / "maas-cgroup-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~CoreBudgetTest() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  [[nodiscard]] int cores() const { return available_cores(root_.string()); }
  static int affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
    return CPU_COUNT(&set);
  }

  fs::path root_;
};

TEST_F(CoreBudgetTest, without_a_quota_the_affinity_mask_decides) {
  EXPECT_EQ(cores(), affinity());
  EXPECT_EQ(available_cores("/no/such/folder"), affinity());
}

TEST_F(CoreBudgetTest, a_v2_quota_is_rounded_up) {
  write("cpu.max", "50000 100000\n");
  EXPECT_EQ(cores(), 1);
  write("cpu.max", "100000 100000\n");
  EXPECT_EQ(cores(), 1);
  write("cpu.max", "100001 100000\n");
  EXPECT_EQ(cores(), std::min(2, affinity()));
}

TEST_F(CoreBudgetTest, a_v2_quota_of_max_or_of_nonsense_is_none) {
  for (const char* text : {"max 100000\n", "", "junk", "100000", "-5 100000", "100000 0",
                           "9223372036854775807 1\n", "1e300 100000\n"}) {
    write("cpu.max", text);
    EXPECT_EQ(cores(), affinity()) << text;
  }
}

TEST_F(CoreBudgetTest, a_v1_quota_counts_under_either_name) {
  for (const char* folder : {"cpu", "cpu,cpuacct"}) {
    write(folder + std::string("/cpu.cfs_period_us"), "100000\n");
    write(folder + std::string("/cpu.cfs_quota_us"), "-1\n");
    EXPECT_EQ(cores(), affinity()) << folder;
    write(folder + std::string("/cpu.cfs_quota_us"), "20000\n");
    EXPECT_EQ(cores(), 1) << folder;
    fs::remove_all(root_ / folder);
  }
}

TEST_F(CoreBudgetTest, the_tightest_quota_on_the_way_to_the_own_group_counts) {
  std::ifstream in("/proc/self/cgroup");
  std::string group;
  for (std::string line; std::getline(in, line);) {
    group = line.rfind("0::/", 0) == 0 ? line.substr(3) : group;
  }
  if (group.size() <= 1) {
    GTEST_SKIP() << "this process is in the root group";
  }
  write(group.substr(1) + "/cpu.max", "1000 100000\n");
  EXPECT_EQ(cores(), 1);
}

struct Plan {
  BudgetRequest request;
  int available;
  CoreBudget expected;
};

TEST(PlanCores, divides_the_cores) {
  const std::vector<Plan> plans = {
      {{}, 1, {1, 1, 1, 1}},
      {{}, 2, {2, 1, 1, 1}},
      {{}, 4, {4, 1, 3, 1}},
      {{}, 8, {8, 2, 6, 1}},
      {{}, 64, {64, 8, 56, 1}},
      {{}, 0, {1, 1, 1, 1}},
      {{.cores = 4}, 64, {4, 1, 3, 1}},
      {{.io_threads = 3}, 8, {8, 3, 5, 1}},
      {{.executors = 2}, 8, {8, 2, 2, 1}},
      {{.intra_op_threads = 2}, 8, {8, 2, 3, 2}},
      {{.intra_op_threads = 4}, 2, {2, 1, 1, 4}},
      {{.io_threads = 9}, 2, {2, 9, 1, 1}},
  };
  for (const Plan& plan : plans) {
    const CoreBudget budget = plan_cores(plan.request, plan.available);
    EXPECT_EQ(budget.describe(), plan.expected.describe()) << plan.available << " available";
  }
}

TEST(PlanCores, a_derived_plan_never_oversubscribes) {
  for (int cores = 2; cores <= 300; ++cores) {
    for (const int intra : {0, 1, 2, 3}) {
      const CoreBudget budget = plan_cores({.intra_op_threads = intra}, cores);
      EXPECT_GE(budget.io_threads, 1);
      EXPECT_GE(budget.executors, 1);
      EXPECT_TRUE(budget.executors == 1 ||
                  budget.io_threads + budget.executors * budget.intra_op_threads <= cores);
    }
  }
}

TEST(PlanCores, a_negative_number_is_refused_by_name) {
  const auto message = [](const BudgetRequest& request) {
    try {
      (void)plan_cores(request, 4);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message({.cores = -1}), "cores must be 0 (derive it) or more, not -1");
  EXPECT_EQ(message({.io_threads = -1}), "io_threads must be 0 (derive it) or more, not -1");
  EXPECT_EQ(message({.executors = -7}), "executors must be 0 (derive it) or more, not -7");
  EXPECT_EQ(message({.intra_op_threads = -1}),
            "intra_op_threads must be 0 (derive it) or more, not -1");
}

TEST(PlanCores, describes_itself_in_one_line) {
  EXPECT_EQ((CoreBudget{4, 1, 3, 1}.describe()), "4 cores: 1 I/O, 3 executors, 1 thread each");
  EXPECT_EQ((CoreBudget{1, 1, 1, 2}.describe()), "1 core: 1 I/O, 1 executor, 2 threads each");
}

}  // namespace
}  // namespace maas
