// SPDX-License-Identifier: Apache-2.0
#include "maas/base/byte_budget.h"

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ByteBudget, takes_up_to_its_limit_and_not_beyond) {
  ByteBudget budget(10);
  EXPECT_TRUE(budget.try_take(7));
  EXPECT_FALSE(budget.try_take(4));
  EXPECT_EQ(budget.held(), 7U);
  EXPECT_TRUE(budget.try_take(3));
  budget.give_back(10);
  EXPECT_EQ(budget.held(), 0U);
}

TEST(ByteBudget, sizes_that_would_overflow_are_refused) {
  ByteBudget budget(10);
  EXPECT_TRUE(budget.try_take(5));
  EXPECT_FALSE(budget.try_take(std::numeric_limits<std::size_t>::max()));
  EXPECT_EQ(budget.held(), 5U);
}

TEST(ByteBudget, threads_never_hold_more_than_the_limit_together) {
  ByteBudget budget(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 2000; ++turn) {
        if (!budget.try_take(1)) {
          continue;
        }
        const int now = ++inside;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        --inside;
        budget.give_back(1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(budget.held(), 0U);
}

}  // namespace
}  // namespace maas
