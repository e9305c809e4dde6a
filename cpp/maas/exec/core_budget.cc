// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/core_budget.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <thread>

#include <sched.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr double kNoLimit = std::numeric_limits<int>::max();

// For a machine with more processors than the mask has bits.
int fallback_cores() {
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
}

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : fallback_cores();
}

int cores_of_quota(double quota, double period) {
  if (quota <= 0 || period <= 0) {
    return std::numeric_limits<int>::max();
  }
  return static_cast<int>(std::min(std::ceil(quota / period), kNoLimit));
}

// cgroup v2: "max 100000" or "150000 100000".
int quota_v2(const std::string& file) {
  std::ifstream in(file);
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max") {
    return std::numeric_limits<int>::max();
  }
  return cores_of_quota(std::strtod(quota.c_str(), nullptr), period);
}

// cgroup v1: two files, quota -1 for none.
int quota_v1(const std::string& folder) {
  double quota = 0;
  double period = 0;
  std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  return cores_of_quota(quota, period);
}

// The tightest quota of this process's cgroup and of the groups around it. A container usually sees
// its own group as the root, so the root is looked at in any case.
int cgroup_cores(const std::string& root) {
  int cores = std::min(
      {quota_v2(root + "/cpu.max"), quota_v1(root + "/cpu"), quota_v1(root + "/cpu,cpuacct")});
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("0::/", 0) != 0) {
      continue;
    }
    std::string group = line.substr(3);  // may hold colons itself
    while (group.size() > 1) {
      cores = std::min(cores, quota_v2(root + group + "/cpu.max"));
      group.resize(group.rfind('/'));
    }
  }
  return cores;
}

void check(int value, std::string_view name) {
  if (value < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(name) + " must be 0 (derive it) or more, not " + std::to_string(value));
  }
}

}  // namespace

std::string CoreBudget::describe() const {
  std::ostringstream out;
  out << cores << (cores == 1 ? " core: " : " cores: ") << io_threads << " I/O, " << executors
      << (executors == 1 ? " executor" : " executors") << ", " << intra_op_threads
      << (intra_op_threads == 1 ? " thread" : " threads") << " each";
  return out.str();
}

int available_cores(const std::string& cgroup_root) {
  return std::max(1, std::min(affinity_cores(), cgroup_cores(cgroup_root)));
}

CoreBudget plan_cores(const BudgetRequest& request, int available) {
  check(request.cores, "cores");
  check(request.io_threads, "io_threads");
  check(request.executors, "executors");
  check(request.intra_op_threads, "intra_op_threads");
  CoreBudget budget;
  budget.cores = request.cores > 0 ? request.cores : std::max(available, 1);
  // One I/O thread moves some 50,000 small requests a second: a quarter of the cores is plenty.
  budget.io_threads =
      request.io_threads > 0 ? request.io_threads : std::clamp(budget.cores / 4, 1, 8);
  budget.intra_op_threads = std::max(request.intra_op_threads, 1);
  const int left = budget.cores - budget.io_threads;
  budget.executors =
      request.executors > 0 ? request.executors : std::max(1, left / budget.intra_op_threads);
  return budget;
}

}  // namespace maas
