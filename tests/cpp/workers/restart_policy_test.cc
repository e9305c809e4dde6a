// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/restart_policy.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

using namespace std::chrono_literals;
using Cause = DeathWatch::Cause;

TEST(BackOff, doubles_from_half_a_second_to_thirty_seconds) {
  BackOff back_off;
  for (const auto expected : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 30000ms, 30000ms}) {
    EXPECT_EQ(back_off.next(), expected);
  }
  back_off.reset();
  EXPECT_EQ(back_off.next(), 500ms);
}

TEST(DeathWatch, the_fifth_death_within_a_minute_raises_the_alarm) {
  DeathWatch watch;
  const TimePoint start{};
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(watch.died(start + i * 10s, Cause::kItself));
  }
  EXPECT_FALSE(watch.alarm(start + 59s));
  EXPECT_TRUE(watch.died(start + 59s, Cause::kItself));
  EXPECT_TRUE(watch.alarm(start + 59s));
  EXPECT_FALSE(watch.alarm(start + 59s + DeathWatch::kCoolDown));
}

TEST(DeathWatch, deaths_over_a_longer_time_do_not) {
  DeathWatch watch;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(watch.died(TimePoint{} + i * 15s, Cause::kItself));
  }
}

TEST(DeathWatch, answers_forgive_deaths_from_outside_alone) {
  DeathWatch watch;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(watch.died(TimePoint{}, Cause::kOutside));
    watch.answered();
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(watch.died(TimePoint{}, Cause::kItself));
    watch.answered();
  }
  EXPECT_TRUE(watch.died(TimePoint{}, Cause::kItself));
}

TEST(DeathWatch, deaths_from_outside_count_while_nothing_is_answered) {
  DeathWatch watch;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(watch.died(TimePoint{}, Cause::kOutside));
  }
  EXPECT_TRUE(watch.died(TimePoint{}, Cause::kOutside));
}

TEST(DeathWatch, after_the_alarm_it_counts_anew) {
  DeathWatch watch;
  for (int i = 0; i < 5; ++i) {
    watch.died(TimePoint{}, Cause::kItself);
  }
  EXPECT_FALSE(watch.died(TimePoint{} + DeathWatch::kCoolDown, Cause::kItself));
}

}  // namespace
}  // namespace maas
