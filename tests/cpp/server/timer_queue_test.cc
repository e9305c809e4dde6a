// SPDX-License-Identifier: Apache-2.0
#include "maas/server/timer_queue.h"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

namespace maas {
namespace {

class Called final : public Timed {
 public:
  void on_time() noexcept override {
    ++times;
    if (then) {
      then();
    }
  }
  int times = 0;
  std::function<void()> then;
};

TimePoint at(int second) {
  return TimePoint(std::chrono::seconds(second));
}

TEST(TimerQueue, calls_what_is_due_and_only_once) {
  TimerQueue queue;
  Called first;
  Called second;
  EXPECT_EQ(queue.next(), TimePoint::max());
  EXPECT_TRUE(queue.set(second, at(20)));
  EXPECT_TRUE(queue.set(first, at(10)));
  EXPECT_EQ(queue.next(), at(10));
  queue.run(at(15));
  EXPECT_EQ(first.times, 1);
  EXPECT_EQ(second.times, 0);
  queue.run(at(100));
  EXPECT_EQ(first.times, 1);
  EXPECT_EQ(second.times, 1);
  EXPECT_EQ(queue.next(), TimePoint::max());
}

TEST(TimerQueue, time_that_was_put_off_comes_later) {
  TimerQueue queue;
  Called timed;
  queue.set(timed, at(10));
  EXPECT_FALSE(queue.set(timed, at(30)));
  queue.run(at(20));
  EXPECT_EQ(timed.times, 0);
  EXPECT_EQ(queue.next(), at(30));
  queue.run(at(30));
  EXPECT_EQ(timed.times, 1);
}

TEST(TimerQueue, time_can_be_brought_forward) {
  TimerQueue queue;
  Called timed;
  queue.set(timed, at(30));
  EXPECT_TRUE(queue.set(timed, at(10)));
  queue.run(at(10));
  EXPECT_EQ(timed.times, 1);
  queue.run(at(40));
  EXPECT_EQ(timed.times, 1);
}

TEST(TimerQueue, what_is_cancelled_or_gone_is_not_called) {
  TimerQueue queue;
  Called cancelled;
  queue.set(cancelled, at(10));
  queue.cancel(cancelled);
  {
    Called gone;
    queue.set(gone, at(5));
  }
  queue.run(at(20));
  EXPECT_EQ(cancelled.times, 0);
  EXPECT_EQ(queue.next(), TimePoint::max());
}

TEST(TimerQueue, may_be_set_anew_and_destroyed_while_it_calls) {
  TimerQueue queue;
  Called again;
  again.then = [&] {
    if (again.times == 1) {
      queue.set(again, at(11));
    }
  };
  auto other = std::make_unique<Called>();
  Called killer;
  killer.then = [&] { other.reset(); };
  queue.set(again, at(1));
  queue.set(killer, at(2));
  queue.set(*other, at(3));
  queue.run(at(10));
  EXPECT_EQ(again.times, 1);
  queue.run(at(11));
  EXPECT_EQ(again.times, 2);
  EXPECT_EQ(other, nullptr);
}

}  // namespace
}  // namespace maas
