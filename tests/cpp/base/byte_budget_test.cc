// SPDX-License-Identifier: Apache-2.0
#include "maas/base/byte_budget.h"

#include <atomic>
#include <cstddef>
#include <limits>

#include "on_threads.h"
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

// Takes one byte, if there is one, and gives it back; `most` is how many threads ever had one.
void take_a_turn(ByteBudget& budget, std::atomic<int>& inside, std::atomic<int>& most) {
  if (!budget.try_take(1)) {
    return;
  }
  const int now = ++inside;
  int seen = most;
  while (seen < now && !most.compare_exchange_weak(seen, now)) {
  }
  --inside;
  budget.give_back(1);
}

TEST(ByteBudget, threads_never_hold_more_than_the_limit_together) {
  ByteBudget budget(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  testing::run_on_threads(8, [&](std::size_t) {
    for (int turn = 0; turn < 2000; ++turn) {
      take_a_turn(budget, inside, most);
    }
  });
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(budget.held(), 0U);
}

}  // namespace
}  // namespace maas
