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
