// SPDX-License-Identifier: Apache-2.0
#include "maas/base/clock.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "on_threads.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ManualClock, stands_still_until_advanced) {
  ManualClock clock;
  const TimePoint start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(seconds(3));
  EXPECT_EQ(clock.now() - start, seconds(3));
}

TEST(ManualClock, a_wait_for_the_past_returns_at_once) {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  clock.wait_until(lock, condition, clock.now());
  EXPECT_TRUE(lock.owns_lock());
}

// Waits until `until`, as the core's loops do.
void wait(ManualClock& clock,
          std::mutex& mutex,
          std::condition_variable& condition,
          TimePoint until) {
  std::unique_lock lock(mutex);
  while (clock.now() < until) {
    clock.wait_until(lock, condition, until);
  }
}

TEST(ManualClock, advance_wakes_every_waiter_whose_time_has_come) {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  std::atomic<int> woken{0};
  std::vector<std::jthread> threads;
  for (int i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      wait(clock, mutex, condition, TimePoint{} + seconds(i));
      ++woken;
    });
  }
  clock.advance(seconds(2));  // whether they already wait or will find the time past
  threads[0].join();
  threads[1].join();
  EXPECT_EQ(woken, 2);
  clock.advance(seconds(2));
  threads.clear();
  EXPECT_EQ(woken, 4);
}

TEST(ManualClock, a_notification_wakes_before_the_time) {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  bool told = false;
  std::jthread waiter([&] {
    std::unique_lock lock(mutex);
    while (!told) {
      clock.wait_until(lock, condition, TimePoint::max());
    }
  });
  {
    const std::lock_guard lock(mutex);
    told = true;
  }
  condition.notify_all();
  waiter.join();
  EXPECT_EQ(clock.now(), TimePoint{});
}

// The mutex that a waiter holds when it asks for the time is the one that advance() wakes it with.
TEST(ManualClock, advancing_does_not_deadlock_with_threads_that_share_a_mutex) {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  constexpr int kSteps = 2000;
  std::latch start(4);
  const auto threads = testing::start_threads(3, [&](std::size_t) {
    start.arrive_and_wait();
    for (int i = 1; i <= kSteps; ++i) {
      wait(clock, mutex, condition, TimePoint{} + milliseconds(i));
    }
  });
  start.arrive_and_wait();
  for (int i = 0; i < kSteps; ++i) {
    clock.advance(milliseconds(1));
  }
  EXPECT_EQ(clock.now() - TimePoint{}, milliseconds(kSteps));
}

TEST(ManualClock, a_waiter_may_take_its_mutex_with_it_while_time_goes_on) {
  ManualClock clock;
  std::atomic<bool> done{false};
  const std::jthread time([&] {
    while (!done) {
      clock.advance(milliseconds(1));
    }
  });
  for (int i = 0; i < 500; ++i) {
    std::mutex mutex;
    std::condition_variable condition;
    wait(clock, mutex, condition, clock.now() + milliseconds(3));
  }
  done = true;
}

TEST(SystemClock, waits_until_its_time_or_a_notification) {
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable condition;
  const TimePoint until = clock.now() + milliseconds(5);
  {
    std::unique_lock lock(mutex);
    while (clock.now() < until) {
      clock.wait_until(lock, condition, until);
    }
  }
  EXPECT_GE(clock.now(), until);
  bool told = false;
  const std::jthread waiter([&] {
    std::unique_lock lock(mutex);
    while (!told) {
      clock.wait_until(lock, condition, TimePoint::max());  // for ever, without overflow
    }
  });
  {
    const std::lock_guard lock(mutex);
    told = true;
  }
  condition.notify_all();
}

TEST(Deadline, never_expires_by_default_and_otherwise_at_its_time) {
  const ManualClock clock;
  EXPECT_TRUE(Deadline().is_never());
  EXPECT_FALSE(Deadline::never().expired(clock.now() + std::chrono::hours(1000000)));
  const Deadline deadline = Deadline::after(clock, seconds(2));
  EXPECT_FALSE(deadline.expired(clock.now() + milliseconds(1999)));
  EXPECT_TRUE(deadline.expired(clock.now() + seconds(2)));
  EXPECT_EQ(deadline.at(), clock.now() + seconds(2));
}

TEST(Deadline, beyond_the_end_of_time_is_never) {
  ManualClock clock;
  clock.advance(seconds(10));
  EXPECT_TRUE(Deadline::after(clock, Duration::max()).is_never());
  EXPECT_TRUE(Deadline::from(TimePoint::max(), seconds(1)).is_never());
  EXPECT_TRUE(Deadline::after(clock, -seconds(1)).expired(clock.now()));
}

TEST(Clock, agrees_with_clocks_that_show_the_same_time) {
  const SystemClock system;
  const SystemClock other;
  const ManualClock manual;
  const ManualClock another;
  EXPECT_TRUE(system.agrees_with(other));
  EXPECT_TRUE(manual.agrees_with(manual));
  EXPECT_FALSE(manual.agrees_with(another));
  EXPECT_FALSE(system.agrees_with(manual));
  EXPECT_FALSE(manual.agrees_with(system));
}

}  // namespace
}  // namespace maas
