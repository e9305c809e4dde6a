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

TEST(Cancellation, sets_its_copy_until_that_is_taken_away) {
  Cancellation cancellation;
  std::atomic<bool> first{false};
  cancellation.copy_to(&first);
  EXPECT_FALSE(first);
  cancellation.copy_to(nullptr);
  cancellation.cancel();
  EXPECT_FALSE(first);
  std::atomic<bool> late{false};
  cancellation.copy_to(&late);
  EXPECT_TRUE(late);
}

TEST(Cancellation, tells_its_copy_when_it_is_cancelled) {
  Cancellation cancellation;
  std::atomic<bool> copy{false};
  cancellation.copy_to(&copy);
  cancellation.cancel();
  EXPECT_TRUE(copy);
}

TEST(Cancellation, follows_its_source_and_keeps_what_it_saw_last) {
  Cancellation cancellation;
  std::atomic<bool> source{false};
  cancellation.copy_from(&source);
  EXPECT_FALSE(cancellation.cancelled());
  source = true;
  EXPECT_TRUE(cancellation.cancelled());
  cancellation.copy_from(nullptr);
  source = false;
  EXPECT_TRUE(cancellation.cancelled());
}

TEST(Cancellation, does_not_follow_a_source_that_it_let_go) {
  Cancellation cancellation;
  std::atomic<bool> source{false};
  cancellation.copy_from(&source);
  cancellation.copy_from(nullptr);
  source = true;
  EXPECT_FALSE(cancellation.cancelled());
}

}  // namespace
}  // namespace maas
