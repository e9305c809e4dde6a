// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/wait_queue.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::floats;
using ::testing::IsEmpty;
using JobPtr = std::shared_ptr<Job>;

constexpr TimePoint kStart{seconds(1000)};

class WaitQueueTest : public ::testing::Test {
 protected:
  explicit WaitQueueTest(BatchOptions options = {}) : options_(std::move(options)) {}

  // A job of these rows that came so long after the start.
  static JobPtr job(Duration after = {},
                    int priority = kDefaultPriority,
                    const Shape& shape = {1}) {
    auto job = std::make_shared<FakeJob>(floats(shape));
    job->request.rows = shape[0];
    job->request.priority = priority;
    job->place.submitted = kStart + after;
    return job;
  }
  static JobPtr until(Duration deadline, const Shape& shape = {1}) {
    auto late = job({}, kDefaultPriority, shape);
    late->request.deadline = Deadline(kStart + deadline);
    return late;
  }
  JobPtr push(JobPtr job) {
    queue_.push(job);
    return job;
  }
  Jobs take(Duration after = {}) {
    const WaitQueue::Choice choice = queue_.choose(kStart + after, false);
    return choice.due ? queue_.take_batch(choice, costs_) : Jobs();
  }

  Signature signature_ = testing::any_floats();
  BatchOptions options_;
  Padding padding_{signature_, options_};
  BatchKey key_{signature_, padding_};
  WaitQueue queue_{key_, options_};
  const CostModel costs_;
};

TEST_F(WaitQueueTest, an_empty_queue_has_nothing_to_give) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.choose(kStart, true).due);
  EXPECT_FALSE(queue_.choose(kStart, true).held);
  EXPECT_EQ(queue_.choose(kStart, true).next, TimePoint::max());
  EXPECT_THAT(queue_.take_all(), IsEmpty());
  EXPECT_THAT(queue_.take_gone(TimePoint::max()), IsEmpty());
  EXPECT_EQ(queue_.remove(*job()), nullptr);
  EXPECT_EQ(queue_.work_before(TimePoint::max()).calls, 0);
}

TEST_F(WaitQueueTest, jobs_come_out_by_rank_and_then_in_the_order_in_which_they_came) {
  std::mt19937 random(1);
  Jobs all;
  for (int i = 0; i < 600; ++i) {
    const Shape shape = random() % 2 == 0 ? Shape{1} : Shape{1, 3};  // two parts
    all.push_back(
        push(job(milliseconds(500 * (random() % 12)), 1 + static_cast<int>(random() % 10), shape)));
  }
  for (int i = 0; i < 100; ++i) {
    const std::size_t at = random() % all.size();
    EXPECT_EQ(queue_.remove(*all[at]), all[at]);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::sort(all.begin(), all.end(), [](const JobPtr& a, const JobPtr& b) {
    return std::tuple(rank_of(a->place.submitted, a->request.priority), a->place.sequence) <
           std::tuple(rank_of(b->place.submitted, b->request.priority), b->place.sequence);
  });
  EXPECT_EQ(queue_.size(), all.size());
  for (const JobPtr& next : all) {
    ASSERT_THAT(take(), ElementsAre(next));
  }
  EXPECT_TRUE(queue_.empty());
}

TEST_F(WaitQueueTest, the_better_priority_goes_first) {
  const JobPtr low = push(job({}, 10));
  const JobPtr high = push(job(milliseconds(4499), 1));
  EXPECT_THAT(take(), ElementsAre(high));
  EXPECT_THAT(take(), ElementsAre(low));
}

TEST_F(WaitQueueTest,
       the_lowest_priority_goes_before_the_highest_that_came_four_and_a_half_s_later) {
  const JobPtr low = push(job({}, 10));
  push(job(milliseconds(4500), 1));
  push(job(milliseconds(4501), 1));
  EXPECT_THAT(take(), ElementsAre(low));
}

TEST_F(WaitQueueTest, a_priority_beyond_the_range_counts_as_its_end) {
  EXPECT_EQ(rank_of(kStart, kHighestPriority), kStart);
  EXPECT_EQ(rank_of(kStart, 0), kStart);
  EXPECT_EQ(rank_of(kStart, 1000), rank_of(kStart, kLowestPriority));
  EXPECT_EQ(rank_of(kStart, 3), kStart + 2 * kPriorityAgeing);
}

TEST_F(WaitQueueTest, a_job_is_removed_wherever_it_stands_and_once) {
  const JobPtr first = push(job());
  const JobPtr middle = push(job());
  const JobPtr last = push(job({}, 1, {2}));
  EXPECT_EQ(queue_.remove(*middle), middle);
  EXPECT_EQ(queue_.remove(*middle), nullptr);
  EXPECT_EQ(queue_.remove(*last), last);
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_THAT(take(), ElementsAre(first));
  EXPECT_EQ(queue_.remove(*first), nullptr);
}

TEST_F(WaitQueueTest, what_passed_its_deadline_is_taken_out_with_what_is_cancelled) {
  const JobPtr stays = push(until(seconds(3)));
  const JobPtr late = push(until(seconds(1), {1, 2}));
  const JobPtr cancelled = push(job());
  const JobPtr later = push(until(seconds(2)));
  cancelled->cancel();
  EXPECT_THAT(queue_.take_gone(kStart + milliseconds(999)), IsEmpty());
  EXPECT_THAT(queue_.take_gone(kStart + seconds(1)),
              ::testing::UnorderedElementsAre(late, cancelled));
  EXPECT_THAT(queue_.take_gone(kStart + seconds(2)), ElementsAre(later));
  EXPECT_THAT(queue_.take_all(), ElementsAre(stays));
}

TEST_F(WaitQueueTest, take_parts_takes_no_other) {
  const JobPtr stays = push(job());
  const JobPtr gone = push(job());
  stays->cancel();  // for a reason of its own
  EXPECT_THAT(queue_.take_parts(*gone), ElementsAre(gone));
  EXPECT_THAT(queue_.take_all(), ElementsAre(stays));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(WaitQueueTest, many_shapes_one_after_the_other_leave_nothing_behind) {
  for (std::int64_t width = 1; width < 100; ++width) {
    const JobPtr alone = push(job({}, kDefaultPriority, {1, width}));
    const JobPtr other = push(job({}, kDefaultPriority, {1, width, 2}));
    EXPECT_THAT(take(), ElementsAre(alone));
    EXPECT_EQ(queue_.remove(*other), other);
  }
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.choose(kStart, true).due);
}

class WaitQueueBatchTest : public WaitQueueTest {
 protected:
  WaitQueueBatchTest() : WaitQueueTest({.max_batch_size = 4, .batch_timeout = milliseconds(100)}) {}
};

TEST_F(WaitQueueBatchTest, a_batch_is_held_open_until_its_window_ends) {
  EXPECT_TRUE(queue_.push(job(milliseconds(10))));
  EXPECT_FALSE(queue_.push(job(milliseconds(50))));
  const WaitQueue::Choice held = queue_.choose(kStart + milliseconds(109), false);
  EXPECT_FALSE(held.due);
  EXPECT_TRUE(held.held);
  EXPECT_EQ(held.next, kStart + milliseconds(110));
  EXPECT_TRUE(queue_.choose(kStart + milliseconds(109), true).due);
  EXPECT_TRUE(queue_.choose(kStart + milliseconds(110), false).due);
  EXPECT_EQ(take(milliseconds(110)).size(), 2U);
}

TEST_F(WaitQueueBatchTest, a_full_batch_is_due_at_once) {
  EXPECT_TRUE(queue_.push(job()));
  EXPECT_FALSE(queue_.push(job({}, kDefaultPriority, {2})));
  EXPECT_TRUE(queue_.push(job()));
  EXPECT_EQ(take().size(), 3U);
}

TEST_F(WaitQueueBatchTest, what_is_left_of_a_part_opens_its_window_anew) {
  for (int i = 0; i < 6; ++i) {
    push(job(milliseconds(10 * i)));
  }
  EXPECT_EQ(take(milliseconds(60)).size(), 4U);
  EXPECT_EQ(queue_.choose(kStart + milliseconds(60), false).next, kStart + milliseconds(140));
  queue_.take_all();
  push(job(milliseconds(500)));
  EXPECT_EQ(queue_.choose(kStart + milliseconds(500), false).next, kStart + milliseconds(600));
}

TEST_F(WaitQueueBatchTest, the_window_is_that_of_the_oldest_and_not_of_the_first_in_rank) {
  push(job({}, 10));
  push(job(milliseconds(50), 1));
  EXPECT_EQ(queue_.choose(kStart, false).next, kStart + milliseconds(100));
}

TEST_F(WaitQueueBatchTest,
       a_job_that_came_earlier_than_those_that_wait_makes_the_batch_due_earlier) {
  push(job(milliseconds(50)));
  EXPECT_TRUE(queue_.push(job(milliseconds(20))));
  EXPECT_EQ(queue_.choose(kStart + milliseconds(50), false).next, kStart + milliseconds(120));
}

TEST_F(WaitQueueBatchTest, a_deadline_within_the_window_ends_it_at_once) {
  push(job());
  EXPECT_TRUE(queue_.push(until(milliseconds(99))));
  EXPECT_EQ(take().size(), 2U);
}

// At its end the job would be taken out as one that is late.
TEST_F(WaitQueueBatchTest, a_deadline_at_the_end_of_the_window_ends_it_at_once) {
  EXPECT_TRUE(queue_.push(until(milliseconds(100))));
  EXPECT_TRUE(queue_.choose(kStart, false).due);
}

TEST_F(WaitQueueBatchTest, a_deadline_behind_the_window_leaves_it_open) {
  push(job());
  EXPECT_FALSE(queue_.push(until(milliseconds(101))));
  EXPECT_FALSE(queue_.choose(kStart, false).due);
}

TEST_F(WaitQueueBatchTest, a_part_that_is_due_is_not_kept_by_one_that_is_held_open) {
  push(job({}, 1, {1, 9}));
  const JobPtr full = push(job(milliseconds(5), 10, {4}));
  const WaitQueue::Choice choice = queue_.choose(kStart + milliseconds(5), false);
  EXPECT_TRUE(choice.due);
  EXPECT_TRUE(choice.held);
  EXPECT_EQ(choice.next, kStart + milliseconds(100));
  EXPECT_THAT(queue_.take_batch(choice, costs_), ElementsAre(full));
}

TEST_F(WaitQueueBatchTest, of_parts_that_are_due_that_of_the_first_job_is_chosen) {
  push(job(milliseconds(20), kDefaultPriority, {4}));
  const JobPtr first = push(job({}, kDefaultPriority, {4, 2}));
  EXPECT_THAT(take(milliseconds(20)), ElementsAre(first));
}

TEST_F(WaitQueueBatchTest, the_work_before_a_rank_counts_its_equals) {
  push(job({}, 1, {2}));
  push(job({}, 3, {3, 7}));
  push(job({}, 3, {1, 7}));
  push(job({}, 10, {4, 7}));
  EXPECT_EQ(queue_.work_before(kStart - seconds(1)).units, 0);
  EXPECT_EQ(queue_.work_before(rank_of(kStart, 1)).units, 2);
  EXPECT_EQ(queue_.work_before(rank_of(kStart, 3)).units, 6);
  EXPECT_EQ(queue_.work_before(rank_of(kStart, 3)).calls, 1.5);
  EXPECT_EQ(queue_.work_before(TimePoint::max()).units, 10);
}

class WaitQueueForeverTest : public WaitQueueTest {
 protected:
  WaitQueueForeverTest() : WaitQueueTest({.max_batch_size = 4, .batch_timeout = Duration::max()}) {}
};

TEST_F(WaitQueueForeverTest, a_window_without_end_waits_for_a_full_batch) {
  push(job());
  EXPECT_FALSE(queue_.push(job()));
  const WaitQueue::Choice held = queue_.choose(kStart + std::chrono::hours(1000), false);
  EXPECT_FALSE(held.due);
  EXPECT_TRUE(held.held);
  EXPECT_EQ(held.next, TimePoint::max());
  EXPECT_TRUE(queue_.push(job({}, kDefaultPriority, {2})));
  EXPECT_EQ(take().size(), 3U);
}

class WaitQueueTokensTest : public ::testing::Test {
 protected:
  JobPtr push(std::int64_t length) {
    auto job = std::make_shared<FakeJob>(floats({1, length}));
    job->place.submitted = kStart;
    job->place.length = length;
    hastened_ = queue_.push(job);
    return job;
  }

  const Signature signature_{.inputs = {{"x", DType::kFloat32, Shape{-1}}},
                             .outputs = {{"y", DType::kFloat32, Shape{}}}};
  const BatchOptions options_{
      .max_batch_size = 8, .batch_timeout = seconds(1), .pad = {{"x"}}, .max_batch_tokens = 100};
  const Padding padding_{signature_, options_};
  const BatchKey key_{signature_, padding_};
  WaitQueue queue_{key_, options_};
  bool hastened_ = false;
};

TEST_F(WaitQueueTokensTest, lengths_share_a_part_and_as_many_tokens_as_allowed_fill_a_batch) {
  push(45);
  push(40);
  EXPECT_FALSE(hastened_);
  EXPECT_FALSE(queue_.choose(kStart, false).due);
  push(45);
  EXPECT_TRUE(hastened_);
  const Jobs batch = queue_.take_batch(queue_.choose(kStart, false), CostModel());
  EXPECT_EQ(batch.size(), 2U);
  EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(WaitQueueTokensTest, work_is_counted_in_positions) {
  push(10);
  push(30);
  EXPECT_EQ(queue_.work_before(TimePoint::max()).units, 40);
  EXPECT_EQ(units_of(*push(20), true), 20);
  EXPECT_EQ(units_of(*push(20), false), 1);
}

}  // namespace
}  // namespace maas
