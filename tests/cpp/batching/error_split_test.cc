// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/error_split.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::IsEmpty;
using Verdicts = std::vector<ErrorSplit::Verdict>;

Jobs jobs_of_rows(const std::vector<std::int64_t>& rows) {
  Jobs jobs;
  for (const std::int64_t each : rows) {
    jobs.push_back(std::make_shared<testing::FakeJob>(Tensor()));
    jobs.back()->request.rows = each;
  }
  return jobs;
}

Jobs one_row_jobs(std::size_t count) {
  return jobs_of_rows(std::vector<std::int64_t>(count, 1));
}

std::int64_t rows_of(const Jobs& jobs) {
  std::int64_t rows = 0;
  for (const auto& job : jobs) {
    rows += job->request.rows;
  }
  return rows;
}

Error failure() {
  return {ErrorCode::kInternal, "failed"};
}

// Runs a batch to its end on a model that fails whenever a culprit is in its batch. Groups that
// wait to be run again are taken, and answer, in random order, as several executors would have it.
class Trial {
 public:
  Trial(ErrorSplit& split, std::set<const Job*> culprits, unsigned seed = 1)
      : split_(split), culprits_(std::move(culprits)), random_(seed) {}

  void run(const Jobs& batch) {
    finish({batch, nullptr});
    std::vector<ErrorSplit::Group> running;
    while (split_.has_group() || !running.empty()) {
      while (split_.has_group() && (running.empty() || random_() % 2 == 0)) {
        running.push_back(split_.take_group());
      }
      std::swap(running[random_() % running.size()], running.back());
      ErrorSplit::Group group = std::move(running.back());
      running.pop_back();
      finish(std::move(group));
    }
  }

  [[nodiscard]] std::int64_t rows_run() const { return rows_run_; }
  [[nodiscard]] const std::map<const Job*, int>& judged() const { return judged_; }
  [[nodiscard]] const std::map<const Job*, int>& succeeded() const { return succeeded_; }
  // Each job has one end, and one only; a culprit was never answered.
  [[nodiscard]] bool is_sound(const Jobs& batch) const {
    return judged_.size() + succeeded_.size() == batch.size() &&
           std::all_of(batch.begin(), batch.end(), [&](const auto& job) {
             return times(judged_, job.get()) + times(succeeded_, job.get()) == 1;
           });
  }

 private:
  static int times(const std::map<const Job*, int>& ends, const Job* job) {
    const auto found = ends.find(job);
    return found == ends.end() ? 0 : found->second;
  }

  void finish(ErrorSplit::Group group) {
    const std::int64_t rows = rows_of(group.jobs);
    rows_run_ += rows;
    const bool fails = std::any_of(group.jobs.begin(), group.jobs.end(),
                                   [&](const auto& job) { return culprits_.contains(job.get()); });
    if (!fails) {
      for (const auto& job : group.jobs) {
        ++succeeded_[job.get()];
      }
    }
    const Verdicts verdicts =
        fails ? split_.failed(std::move(group), failure()) : split_.succeeded(group.family, rows);
    for (const auto& verdict : verdicts) {
      for (const auto& job : verdict.jobs) {
        ++judged_[job.get()];
      }
    }
  }

  ErrorSplit& split_;
  const std::set<const Job*> culprits_;
  std::mt19937 random_;
  std::int64_t rows_run_ = 0;
  std::map<const Job*, int> judged_;
  std::map<const Job*, int> succeeded_;
};

std::set<const Job*> members(const Jobs& jobs, std::uint32_t bits) {
  std::set<const Job*> chosen;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if ((bits >> i & 1U) != 0) {
      chosen.insert(jobs[i].get());
    }
  }
  return chosen;
}

TEST(ErrorSplit, whoever_the_culprits_are_no_job_is_judged_twice_or_lost) {
  for (std::size_t count = 1; count <= 16; ++count) {
    const Jobs jobs = one_row_jobs(count);
    for (std::uint32_t culprits = 0; culprits < 1U << count; culprits += count > 12 ? 7 : 1) {
      ErrorSplit split(64);
      Trial trial(split, members(jobs, culprits), culprits);
      trial.run(jobs);
      ASSERT_TRUE(trial.is_sound(jobs)) << count << " jobs, culprits " << culprits;
      ASSERT_FALSE(split.has_group());
    }
  }
}

TEST(ErrorSplit, one_culprit_is_found_and_nobody_else_is_judged_in_batches_of_any_size) {
  for (std::size_t count = 1; count <= 40; ++count) {
    const Jobs jobs = one_row_jobs(count);
    for (const auto& culprit : jobs) {
      ErrorSplit split(0);
      Trial trial(split, {culprit.get()});
      trial.run(jobs);
      ASSERT_TRUE(trial.is_sound(jobs));
      ASSERT_EQ(trial.judged(), (std::map<const Job*, int>{{culprit.get(), 1}}))
          << count << " jobs";
    }
  }
}

TEST(ErrorSplit, one_culprit_is_found_among_requests_of_different_rows) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> rows(1 + random() % 10);
    std::generate(rows.begin(), rows.end(), [&] { return 1 + random() % 30; });
    const Jobs jobs = jobs_of_rows(rows);
    const Job* const culprit = jobs[random() % jobs.size()].get();
    ErrorSplit split(0);
    Trial trial(split, {culprit});
    trial.run(jobs);
    ASSERT_TRUE(trial.is_sound(jobs));
    ASSERT_EQ(trial.judged(), (std::map<const Job*, int>{{culprit, 1}})) << "round " << round;
  }
}

TEST(ErrorSplit, a_model_that_fails_whatever_it_is_given_costs_at_most_twice_its_work) {
  std::mt19937 random(8);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::int64_t> rows(1 + static_cast<std::size_t>(round) % 40, 1);
    std::generate(rows.begin(), rows.end(), [&] { return round < 40 ? 1 : 1 + random() % 30; });
    const Jobs jobs = jobs_of_rows(rows);
    ErrorSplit split(64);
    std::set<const Job*> all;
    for (const auto& job : jobs) {
      all.insert(job.get());
    }
    Trial fails(split, all, static_cast<unsigned>(round));
    fails.run(jobs);
    ASSERT_TRUE(fails.is_sound(jobs));
    ASSERT_EQ(fails.judged().size(), jobs.size());
    ASSERT_LE(fails.rows_run(), 2 * rows_of(jobs)) << jobs.size() << " jobs";
  }
}

TEST(ErrorSplit, what_succeeded_before_pays_for_telling_several_culprits_apart) {
  const Jobs jobs = one_row_jobs(16);
  const std::set<const Job*> culprits = members(jobs, 0x8001);  // one in each half
  ErrorSplit poor(64);
  Trial without(poor, culprits);
  without.run(jobs);
  EXPECT_EQ(without.judged().size(), 16U);
  ErrorSplit rich(64);
  EXPECT_THAT(rich.succeeded(nullptr, 64), IsEmpty());
  Trial with(rich, culprits);
  with.run(jobs);
  EXPECT_EQ(with.judged().size(), 2U);
}

TEST(ErrorSplit, no_more_is_saved_up_than_allowed) {
  const Jobs jobs = one_row_jobs(16);
  ErrorSplit split(8);
  for (int i = 0; i < 100; ++i) {
    split.succeeded(nullptr, 16);
  }
  const std::set<const Job*> all = members(jobs, 0xffff);
  Trial first(split, all);
  first.run(jobs);
  EXPECT_EQ(first.rows_run(), 16 + 16 + 8);
  Trial second(split, all);
  second.run(jobs);
  EXPECT_EQ(second.rows_run(), 16 + 16);  // it is spent
}

TEST(ErrorSplit, a_job_that_fails_alone_is_judged_at_once_with_its_error) {
  ErrorSplit split(64);
  const Jobs jobs = one_row_jobs(1);
  const Verdicts verdicts = split.failed({jobs, nullptr}, {ErrorCode::kUnprocessable, "bad row"});
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].jobs, jobs);
  EXPECT_EQ(verdicts[0].error.code(), ErrorCode::kUnprocessable);
  EXPECT_EQ(verdicts[0].error.message(), "bad row");
  EXPECT_FALSE(split.has_group());
}

TEST(ErrorSplit, the_halves_are_cut_where_their_rows_are_even) {
  ErrorSplit split(64);
  const Jobs jobs = jobs_of_rows({1, 1, 1, 1, 4});
  EXPECT_THAT(split.failed({jobs, nullptr}, failure()), IsEmpty());
  EXPECT_EQ(split.take_group().jobs.size(), 4U);
  EXPECT_EQ(split.take_group().jobs.size(), 1U);
  EXPECT_FALSE(split.has_group());
}

TEST(ErrorSplit, each_verdict_has_the_error_of_its_own_group) {
  ErrorSplit split(64);
  EXPECT_THAT(split.failed({one_row_jobs(2), nullptr}, failure()), IsEmpty());
  ErrorSplit::Group left = split.take_group();
  ErrorSplit::Group right = split.take_group();
  EXPECT_THAT(split.failed(std::move(right), {ErrorCode::kInternal, "right"}), IsEmpty());
  const Verdicts verdicts = split.failed(std::move(left), {ErrorCode::kInternal, "left"});
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].error.message(), "right");
  EXPECT_EQ(verdicts[1].error.message(), "left");
}

TEST(ErrorSplit, a_group_that_nobody_waits_for_any_more_ends_its_level) {
  ErrorSplit split(64);
  split.failed({one_row_jobs(4), nullptr}, failure());
  ErrorSplit::Group fails = split.take_group();
  const ErrorSplit::Group gone = split.take_group();
  EXPECT_THAT(split.failed(std::move(fails), failure()), IsEmpty());
  EXPECT_FALSE(split.has_group());
  EXPECT_THAT(split.succeeded(gone.family, 0), IsEmpty());
  EXPECT_TRUE(split.has_group());  // the culprit is in the half that ran
}

TEST(ErrorSplit, take_all_gives_what_waits_of_every_batch) {
  ErrorSplit split(64);
  const Jobs first = one_row_jobs(4);
  split.failed({first, nullptr}, failure());
  split.failed({one_row_jobs(3), nullptr}, failure());
  const ErrorSplit::Group runs = split.take_group();
  EXPECT_EQ(split.take_all().size(), 5U);
  EXPECT_FALSE(split.has_group());
  EXPECT_THAT(split.take_all(), IsEmpty());
  EXPECT_THAT(split.succeeded(runs.family, 2), IsEmpty());
}

}  // namespace
}  // namespace maas
