// SPDX-License-Identifier: Apache-2.0
#include "maas/base/cancellation.h"

#include <atomic>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Cancellation, is_seen_by_the_thread_that_works_for_the_caller) {
  const auto cancellation = std::make_shared<Cancellation>();
  EXPECT_FALSE(cancellation->cancelled());
  std::thread worker([cancellation] {
    while (!cancellation->cancelled()) {
      std::this_thread::yield();
    }
  });
  cancellation->cancel();
  worker.join();
  EXPECT_TRUE(cancellation->cancelled());
}

TEST(Cancellation, sets_its_copies_until_they_are_taken_away) {
  Cancellation cancellation;
  std::atomic<bool> first{false};
  std::atomic<bool> second{false};
  cancellation.add_copy(&first);
  cancellation.add_copy(&second);
  cancellation.remove_copy(&first);
  cancellation.cancel();
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
  std::atomic<bool> late{false};
  cancellation.add_copy(&late);
  EXPECT_TRUE(late);
}

TEST(Cancellation, copies_of_work_done_for_other_work_are_set_with_that) {
  const auto parent = std::make_shared<Cancellation>();
  const Cancellation first(parent);
  const Cancellation second(parent);
  std::atomic<bool> one{false};
  std::atomic<bool> two{false};
  first.add_copy(&one);
  second.add_copy(&two);
  first.remove_copy(&one);
  parent->cancel();
  EXPECT_FALSE(one);
  EXPECT_TRUE(two);
}

TEST(Cancellation, follows_a_flag_and_keeps_what_it_saw_last) {
  Cancellation cancellation;
  std::atomic<bool> source{false};
  cancellation.follow(&source);
  EXPECT_FALSE(cancellation.cancelled());
  source = true;
  EXPECT_TRUE(cancellation.cancelled());
  cancellation.follow(nullptr);
  source = false;
  EXPECT_TRUE(cancellation.cancelled());
}

TEST(Cancellation, does_not_follow_a_flag_that_it_let_go) {
  Cancellation cancellation;
  std::atomic<bool> source{false};
  cancellation.follow(&source);
  cancellation.follow(nullptr);
  source = true;
  EXPECT_FALSE(cancellation.cancelled());
}

TEST(Cancellation, work_done_for_other_work_is_cancelled_with_it_but_not_the_other_way_round) {
  const auto parent = std::make_shared<Cancellation>();
  Cancellation first(parent);
  const Cancellation second(parent);
  first.cancel();
  EXPECT_TRUE(first.cancelled());
  EXPECT_FALSE(parent->cancelled());
  EXPECT_FALSE(second.cancelled());
  parent->cancel();
  EXPECT_TRUE(second.cancelled());
}

TEST(Cancellation, hooks_are_called_once_and_at_once_when_it_is_too_late) {
  Cancellation cancellation;
  int calls = 0;
  cancellation.on_cancel([&] { ++calls; });
  cancellation.on_cancel([&] { calls += 10; });
  EXPECT_EQ(calls, 0);
  cancellation.cancel();
  cancellation.cancel();
  EXPECT_EQ(calls, 11);
  cancellation.on_cancel([&] { calls += 100; });
  EXPECT_EQ(calls, 111);
}

}  // namespace
}  // namespace maas
