// SPDX-License-Identifier: Apache-2.0
#include "maas/base/cancellation.h"

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

}  // namespace
}  // namespace maas
