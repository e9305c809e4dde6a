// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/service_time.h"

#include <chrono>
#include <optional>

#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(100)};

// So many batches of one row, end to end, each of this cost.
void run_one_by_one(ServiceTime& service, int batches, Duration cost) {
  TimePoint now = kStart;
  for (int i = 0; i < batches; ++i) {
    service.begin(now, true);
    now += cost;
    service.end(now, 1, cost, true);
  }
}

double in_seconds(std::optional<Duration> duration) {
  return duration ? std::chrono::duration<double>(*duration).count() : -1;
}

TEST(ServiceTime, knows_nothing_before_the_first_batch) {
  ServiceTime service(2);
  EXPECT_FALSE(service.until(1, 1));
  service.begin(kStart, true);
  EXPECT_FALSE(service.until(1, 1));
}

TEST(ServiceTime, one_executor_takes_as_long_as_its_batches) {
  ServiceTime service(1);
  run_one_by_one(service, 10, milliseconds(200));
  EXPECT_NEAR(in_seconds(service.until(5, 5)), 1, 1e-6);
  EXPECT_EQ(in_seconds(service.until(0, 0)), 0);
  EXPECT_NEAR(service.costs().per_call(), 0.2, 1e-9);
}

TEST(ServiceTime, before_it_was_measured_all_executors_count) {
  ServiceTime service(4);
  service.begin(kStart, true);
  service.end(kStart + seconds(1), 1, seconds(1), false);  // nothing waited: nothing to measure
  EXPECT_NEAR(in_seconds(service.until(4, 4)), 1, 1e-6);
}

TEST(ServiceTime, batches_that_run_side_by_side_are_done_sooner) {
  ServiceTime service(2);
  service.begin(kStart, true);
  service.begin(kStart, false);
  for (int i = 1; i <= 20; ++i) {  // two at a time, each a second: one ends every half second
    const TimePoint now = kStart + i * milliseconds(500);
    service.end(now, 1, seconds(1), true);
    service.begin(now, false);
  }
  EXPECT_NEAR(in_seconds(service.until(10, 10)), 5, 0.01);
}

TEST(ServiceTime, a_model_that_gets_half_of_what_it_may_takes_twice_as_long) {
  ServiceTime service(2);
  service.begin(kStart, true);
  for (int i = 1; i <= 50; ++i) {  // only one of its two executors is ever free
    const TimePoint now = kStart + i * seconds(1);
    service.end(now, 1, seconds(1), true);
    service.begin(now, false);
  }
  EXPECT_NEAR(in_seconds(service.until(10, 10)), 10, 0.01);
}

TEST(ServiceTime, time_without_work_is_not_counted) {
  ServiceTime service(1);
  TimePoint now = kStart;
  for (int i = 0; i < 20; ++i) {
    service.begin(now, true);
    now += seconds(1);
    service.end(now, 1, seconds(1), true);
    service.begin(now, true);
    now += seconds(1);
    service.end(now, 1, seconds(1), false);  // nothing more was there
    now += seconds(60);
  }
  EXPECT_NEAR(in_seconds(service.until(3, 3)), 3, 0.01);
}

TEST(ServiceTime, it_follows_a_model_that_gets_more_executors_again) {
  ServiceTime service(2);
  run_one_by_one(service, 50, seconds(1));
  EXPECT_NEAR(in_seconds(service.until(10, 10)), 10, 0.1);
  TimePoint now = kStart + seconds(1000);
  service.begin(now, true);
  for (int i = 0; i < 200; ++i) {
    now += milliseconds(500);
    service.end(now, 1, seconds(1), true);
    service.begin(now, false);
  }
  EXPECT_NEAR(in_seconds(service.until(10, 10)), 5, 0.1);
}

TEST(ServiceTime, any_amount_of_work_has_an_end) {
  ServiceTime service(1);
  run_one_by_one(service, 1, seconds(1));
  const auto longest = service.until(1e300, 1e300);
  ASSERT_TRUE(longest);
  EXPECT_NEAR(in_seconds(longest), 1e6, 1);
  EXPECT_GT(kStart + *longest + *longest, kStart);
}

TEST(ServiceTime, batches_that_took_no_time_leave_it_finite) {
  ServiceTime service(2);
  service.begin(kStart, true);
  service.end(kStart, 1, Duration::zero(), true);
  EXPECT_EQ(in_seconds(service.until(7, 7)), 0);
  service.begin(kStart, true);
  service.end(kStart + seconds(1), 1, Duration::zero(), true);
  EXPECT_EQ(in_seconds(service.until(7, 7)), 0);
}

TEST(ServiceTime, what_waits_for_an_executor_that_others_have_takes_longer) {
  ServiceTime service(1);
  TimePoint now = kStart;
  for (int i = 0; i < 50; ++i) {
    service.begin(now, true);
    service.end(now + seconds(1), 1, seconds(1), true);
    now += seconds(2);  // another model has run meanwhile
  }
  const auto wait = service.until(1, 0);
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, milliseconds(1800));
  EXPECT_LT(*wait, milliseconds(2200));
}

}  // namespace
}  // namespace maas
