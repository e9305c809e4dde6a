// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/brief_work.h"

#include <chrono>

#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

BriefWork after(int rows, Duration each) {
  BriefWork work;
  for (int i = 0; i < rows; ++i) {
    work.observe(1, each);
  }
  return work;
}

TEST(BriefWorkTest, nothing_is_brief_before_some_rows_were_seen) {
  EXPECT_FALSE(after(7, microseconds(20)).is_brief(kStart));
  EXPECT_TRUE(after(8, microseconds(20)).is_brief(kStart));
}

TEST(BriefWorkTest, a_model_slower_than_a_wake_up_is_not_brief) {
  EXPECT_TRUE(after(50, microseconds(200)).is_brief(kStart));
  EXPECT_FALSE(after(50, microseconds(201)).is_brief(kStart));
}

TEST(BriefWorkTest, one_slow_row_counts_until_enough_others_were_fast) {
  BriefWork work = after(50, microseconds(20));
  work.observe(1, milliseconds(1));
  EXPECT_FALSE(work.is_brief(kStart));
  int rows = 0;
  while (!work.is_brief(kStart) && rows < 100) {
    work.observe(1, microseconds(20));
    ++rows;
  }
  EXPECT_GT(rows, 10);
  EXPECT_LT(rows, 30);
}

TEST(BriefWorkTest, a_thread_that_was_held_up_is_spared_each_time_for_longer) {
  BriefWork work = after(8, microseconds(20));
  work.ran_here(kStart, milliseconds(3));
  EXPECT_FALSE(work.is_brief(kStart + milliseconds(999)));
  EXPECT_TRUE(work.is_brief(kStart + seconds(1)));
  work.ran_here(kStart + seconds(1), milliseconds(3));
  EXPECT_FALSE(work.is_brief(kStart + milliseconds(2999)));
  EXPECT_TRUE(work.is_brief(kStart + seconds(3)));
}

TEST(BriefWorkTest, a_thread_is_never_spared_for_longer_than_ten_minutes) {
  BriefWork work = after(8, microseconds(20));
  for (int i = 0; i < 100; ++i) {
    work.ran_here(kStart, seconds(1));
  }
  EXPECT_FALSE(work.is_brief(kStart + minutes(10) - milliseconds(1)));
  EXPECT_TRUE(work.is_brief(kStart + minutes(10)));
}

TEST(BriefWorkTest, batches_of_several_rows_tell_nothing) {
  BriefWork work = after(8, microseconds(20));
  work.observe(2, milliseconds(9));
  EXPECT_TRUE(work.is_brief(kStart));
}

TEST(BriefWorkTest, a_short_delay_is_no_hold_up) {
  BriefWork work = after(8, microseconds(20));
  work.ran_here(kStart, milliseconds(2));
  EXPECT_TRUE(work.is_brief(kStart));
}

}  // namespace
}  // namespace maas
