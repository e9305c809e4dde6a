// SPDX-License-Identifier: Apache-2.0
#include "maas/base/checked.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace maas {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

TEST(Checked, multiplies_sizes) {
  EXPECT_EQ(checked_multiply(6, 7), 42);
  EXPECT_EQ(checked_multiply(0, kMax), 0);
  EXPECT_EQ(checked_multiply(kMax, 1), kMax);
}

TEST(Checked, overflow_gives_nothing) {
  EXPECT_FALSE(checked_multiply(kMax, 2));
  EXPECT_FALSE(checked_multiply(std::int64_t{1} << 32U, std::int64_t{1} << 31U));
  EXPECT_EQ(checked_multiply(std::int64_t{1} << 31U, std::int64_t{1} << 31U),
            std::int64_t{1} << 62U);
}

TEST(Checked, negative_sizes_give_nothing) {
  EXPECT_FALSE(checked_multiply(-1, 1));
  EXPECT_FALSE(checked_multiply(1, -1));
  EXPECT_FALSE(checked_multiply(-2, -3));
  EXPECT_FALSE(checked_multiply(std::numeric_limits<std::int64_t>::min(), -1));
}

TEST(Checked, sums_are_right_or_nothing) {
  EXPECT_EQ(checked_add(2, 3), 5);
  EXPECT_EQ(checked_add(kMax, 0), kMax);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(checked_add(-1, 1));
  EXPECT_FALSE(checked_add(1, -1));
}

}  // namespace
}  // namespace maas
