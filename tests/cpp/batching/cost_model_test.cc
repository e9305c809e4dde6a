// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/cost_model.h"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

namespace maas {
namespace {

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

TEST(CostModel, knows_nothing_before_the_first_batch) {
  const CostModel costs;
  EXPECT_FALSE(costs.seconds(1, 1));
  EXPECT_EQ(costs.units_per_call(), CostModel::kUnitsPerCall);
  EXPECT_EQ(costs.per_call(), 0);
  EXPECT_EQ(costs.per_unit(), 0);
}

TEST(CostModel, batches_of_one_size_count_as_the_cost_of_the_call) {
  CostModel costs;
  for (int i = 0; i < 20; ++i) {
    costs.observe(8, seconds(0.5));
  }
  EXPECT_NEAR(costs.per_call(), 0.5, 1e-9);
  EXPECT_EQ(costs.per_unit(), 0);
  EXPECT_NEAR(*costs.seconds(3, 1000), 1.5, 1e-9);
  EXPECT_EQ(costs.units_per_call(), CostModel::kUnitsPerCall);
}

TEST(CostModel, two_sizes_tell_the_call_and_the_unit_apart) {
  CostModel costs;
  costs.observe(10, seconds(0.3 + 10 * 0.02));
  costs.observe(30, seconds(0.3 + 30 * 0.02));
  EXPECT_NEAR(costs.per_call(), 0.3, 1e-6);
  EXPECT_NEAR(costs.per_unit(), 0.02, 1e-8);
  EXPECT_NEAR(costs.units_per_call(), 15, 1e-4);
  EXPECT_NEAR(*costs.seconds(2, 50), 1.6, 1e-6);
}

TEST(CostModel, noise_is_averaged_out) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> noise(0.9, 1.1);
  CostModel costs;
  for (int i = 0; i < 500; ++i) {
    const auto size = static_cast<double>(1 + random() % 64);
    costs.observe(size, seconds((0.1 + 0.01 * size) * noise(random)));
  }
  EXPECT_NEAR(costs.per_call(), 0.1, 0.03);
  EXPECT_NEAR(costs.per_unit(), 0.01, 0.001);
}

TEST(CostModel, what_was_seen_long_ago_is_forgotten) {
  CostModel costs;
  for (int i = 0; i < 1000; ++i) {
    costs.observe(1 + i % 2, seconds(100));
  }
  for (int i = 0; i < 1000; ++i) {
    costs.observe(1 + i % 2, seconds(1 + 2 * (1 + i % 2)));
  }
  EXPECT_NEAR(costs.per_call(), 1, 1e-3);
  EXPECT_NEAR(costs.per_unit(), 2, 1e-3);
}

TEST(CostModel, larger_batches_that_took_less_time_do_not_make_units_worth_time) {
  CostModel costs;
  costs.observe(1, seconds(3));
  costs.observe(10, seconds(1));
  EXPECT_EQ(costs.per_unit(), 0);
  EXPECT_GT(costs.per_call(), 0);
  EXPECT_EQ(costs.units_per_call(), CostModel::kUnitsPerCall);
}

TEST(CostModel, neither_a_call_nor_a_unit_ever_takes_less_than_no_time) {
  std::mt19937 random(2);
  for (int round = 0; round < 2000; ++round) {
    CostModel costs;
    for (int i = 0; i < 6; ++i) {
      const auto size = static_cast<double>(1 + random() % 100);
      costs.observe(size, seconds(size * size * 1e-4 * static_cast<double>(1 + random() % 3)));
      ASSERT_GE(costs.per_call(), 0);
      ASSERT_GE(costs.per_unit(), 0);
      ASSERT_GE(costs.units_per_call(), 0);
      ASSERT_GE(*costs.seconds(1, 0), 0);
    }
  }
}

TEST(CostModel, units_that_cost_next_to_nothing_leave_the_price_of_a_call_finite) {
  CostModel costs;
  for (int i = 0; i < 10; ++i) {
    costs.observe(1, std::chrono::seconds(1000));
    costs.observe(1e9, std::chrono::seconds(1000) + std::chrono::nanoseconds(10));
  }
  EXPECT_LE(costs.units_per_call(), 1e9);
}

TEST(CostModel, batches_of_no_size_or_no_time_leave_it_finite) {
  CostModel costs;
  costs.observe(0, seconds(0));
  EXPECT_EQ(*costs.seconds(1, 1), 0);
  costs.observe(0, seconds(1));
  EXPECT_NEAR(costs.per_call(), 0.5, 0.1);
  costs.observe(5, seconds(0));
  EXPECT_GE(costs.per_call(), 0);
  EXPECT_GE(costs.per_unit(), 0);
  EXPECT_LT(*costs.seconds(1, 1), 2);
}

}  // namespace
}  // namespace maas
