// SPDX-License-Identifier: Apache-2.0
#include "maas/kernels/powers_of_ten.h"

#include <cmath>

#include <gtest/gtest.h>

namespace maas::kernels {
namespace {

std::uint64_t entry(int power) {
  return kPowersOfTen.of[power - kMinPower];
}

TEST(PowersOfTen, powers_that_fit_are_exact) {
  EXPECT_EQ(entry(0), 0x8000000000000000);
  EXPECT_EQ(entry(1), 0xA000000000000000);
  EXPECT_EQ(entry(19), 10000000000000000000U);
}

TEST(PowersOfTen, others_are_rounded_up) {
  EXPECT_EQ(entry(-1), 0xCCCCCCCCCCCCCCCD);
  EXPECT_EQ(entry(-2), 0xA3D70A3D70A3D70B);
}

TEST(PowersOfTen, each_is_near_the_power_that_it_stands_for) {
  for (int power = kMinPower; power <= kMaxPower; ++power) {
    int exponent = 0;
    const long double expected = std::frexp(std::pow(10.0L, power), &exponent);
    const long double actual = std::ldexp(static_cast<long double>(entry(power)), -64);
    EXPECT_NEAR(static_cast<double>(actual / expected), 1, 1e-15) << power;
  }
}

}  // namespace
}  // namespace maas::kernels
