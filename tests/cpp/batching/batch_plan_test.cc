// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_plan.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;
using Waiting = std::deque<std::shared_ptr<Job>>;

struct Size {
  std::int64_t rows;
  std::int64_t length = 0;
};

Waiting waiting(const std::vector<Size>& sizes) {
  Waiting jobs;
  for (const Size& size : sizes) {
    jobs.push_back(std::make_shared<testing::FakeJob>(Tensor()));
    jobs.back()->request.rows = size.rows;
    jobs.back()->place.length = size.length;
  }
  return jobs;
}

// What batches cost that take so many units' time each, and a second per unit.
CostModel costs_of(double units_per_call) {
  CostModel costs;
  for (const double size : {100.0, 200.0}) {
    costs.observe(size, std::chrono::duration_cast<Duration>(
                            std::chrono::duration<double>(units_per_call + size)));
  }
  return costs;
}

bool fits(const std::vector<Size>& batch, const BatchLimits& limits) {
  std::int64_t rows = 0;
  std::int64_t length = 0;
  for (const Size& size : batch) {
    rows += size.rows;
    length = std::max(length, size.length);
  }
  return rows <= limits.rows && (limits.tokens == 0 || rows * length <= limits.tokens);
}

double cost_of(const std::vector<Size>& batch, double units_per_call) {
  std::int64_t rows = 0;
  std::int64_t length = 0;
  for (const Size& size : batch) {
    rows += size.rows;
    length = std::max(length, size.length);
  }
  return units_per_call + static_cast<double>(rows * length);
}

constexpr double kForbidden = std::numeric_limits<double>::max();

// Of the batches into which jobs are cut: bit i of `cuts` says that one ends behind job i.
double cost_of_cuts(const std::vector<Size>& sizes,
                    std::uint32_t cuts,
                    const BatchLimits& limits,
                    double units_per_call) {
  double cost = 0;
  std::vector<Size> batch;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    batch.push_back(sizes[i]);
    if (i + 1 != sizes.size() && (cuts >> i & 1U) == 0) {
      continue;
    }
    if (batch.size() > 1 && !fits(batch, limits)) {
      return kForbidden;
    }
    cost += cost_of(batch, units_per_call);
    batch.clear();
  }
  return cost;
}

// The least cost of all ways to cut jobs, which are in order of length, into batches that are
// allowed.
double least_cost(const std::vector<Size>& sizes,
                  const BatchLimits& limits,
                  double units_per_call) {
  if (sizes.empty()) {
    return 0;
  }
  double least = kForbidden;
  for (std::uint32_t cuts = 0; cuts < 1U << (sizes.size() - 1); ++cuts) {
    least = std::min(least, cost_of_cuts(sizes, cuts, limits, units_per_call));
  }
  return least;
}

std::vector<Size> random_sizes(std::mt19937& random) {
  const auto below = [&](unsigned most) { return static_cast<std::int64_t>(random() % most); };
  std::vector<Size> sizes(1 + random() % 8);
  for (Size& size : sizes) {
    size.rows = 1 + below(random() % 4 == 0 ? 6 : 2);
    size.length = random() % 4 == 0 ? below(200) : 10 + below(20);
  }
  return sizes;
}

void expect_sound(const std::vector<std::size_t>& chosen,
                  const std::vector<Size>& sizes,
                  const BatchLimits& limits) {
  ASSERT_FALSE(chosen.empty());
  EXPECT_EQ(chosen.front(), 0U);
  EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
  EXPECT_EQ(std::adjacent_find(chosen.begin(), chosen.end()), chosen.end());
  ASSERT_LT(chosen.back(), sizes.size());
  std::vector<Size> batch;
  batch.reserve(chosen.size());
  for (const std::size_t index : chosen) {
    batch.push_back(sizes[index]);
  }
  EXPECT_TRUE(batch.size() == 1 || fits(batch, limits));
}

// The jobs by length, and where in that order those are that were chosen; they are neighbours.
struct Sorted {
  Sorted(const std::vector<Size>& sizes, const std::vector<std::size_t>& chosen) {
    std::vector<std::size_t> order(sizes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return sizes[a].length < sizes[b].length;
    });
    std::size_t place = 0;
    for (const std::size_t index : order) {
      const bool taken = std::binary_search(chosen.begin(), chosen.end(), index);
      place += taken != (place % 2 == 1) ? 1 : 0;
      EXPECT_LT(place, 3U);
      parts.at(std::min<std::size_t>(place, 2)).push_back(sizes[index]);
    }
  }
  std::array<std::vector<Size>, 3> parts;  // before the batch, the batch, behind it
};

TEST(BatchPlan, the_batch_is_one_of_a_partition_that_costs_the_least_of_all) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    const std::vector<Size> sizes = random_sizes(random);
    const BatchLimits limits{1 + static_cast<std::int64_t>(random() % 10),
                             random() % 2 == 0 ? 0 : 50 + static_cast<std::int64_t>(random() % 300),
                             true};
    const double units_per_call = 1 + static_cast<double>(random() % 60);
    const CostModel costs = costs_of(units_per_call);
    ASSERT_NEAR(costs.units_per_call(), units_per_call, 1e-4);
    const auto chosen = plan_batch(waiting(sizes), limits, costs);
    expect_sound(chosen, sizes, limits);
    const auto [shorter, batch, longer] = Sorted(sizes, chosen).parts;
    std::vector<Size> all = shorter;
    all.insert(all.end(), batch.begin(), batch.end());
    all.insert(all.end(), longer.begin(), longer.end());
    ASSERT_NEAR(least_cost(shorter, limits, units_per_call) + cost_of(batch, units_per_call) +
                    least_cost(longer, limits, units_per_call),
                least_cost(all, limits, units_per_call), 1e-3)
        << "round " << round;
  }
}

TEST(BatchPlan, without_padding_the_first_that_fit_are_taken) {
  const CostModel costs;
  EXPECT_THAT(plan_batch(waiting({{3}, {2}, {4}, {1}}), {4}, costs), ElementsAre(0, 3));
  EXPECT_THAT(plan_batch(waiting({{1}, {1}, {1}}), {2}, costs), ElementsAre(0, 1));
  EXPECT_THAT(plan_batch(waiting({{4}, {1}}), {4}, costs), ElementsAre(0));
  EXPECT_THAT(plan_batch(waiting({{1}}), {1}, costs), ElementsAre(0));
}

TEST(BatchPlan, the_first_job_is_taken_alone_when_it_is_beyond_the_limits) {
  const CostModel costs;
  EXPECT_THAT(plan_batch(waiting({{5}, {1}}), {4}, costs), ElementsAre(0));
  EXPECT_THAT(plan_batch(waiting({{5, 3}, {1, 3}}), {4, 0, true}, costs), ElementsAre(0));
  EXPECT_THAT(plan_batch(waiting({{1, 90}, {1, 90}}), {4, 80, true}, costs), ElementsAre(0));
}

TEST(BatchPlan, a_job_joins_when_its_padding_costs_less_than_the_call_it_saves) {
  const BatchLimits limits{8, 0, true};
  EXPECT_THAT(plan_batch(waiting({{1, 10}, {1, 19}}), limits, costs_of(10)), ElementsAre(0, 1));
  EXPECT_THAT(plan_batch(waiting({{1, 10}, {1, 21}}), limits, costs_of(10)), ElementsAre(0));
  EXPECT_THAT(plan_batch(waiting({{1, 21}, {1, 10}}), limits, costs_of(10)), ElementsAre(0));
}

TEST(BatchPlan, long_jobs_do_not_fill_up_short_ones) {
  EXPECT_THAT(
      plan_batch(waiting({{1, 8}, {1, 500}, {1, 9}, {1, 510}, {1, 8}}), {8, 0, true}, CostModel()),
      ElementsAre(0, 2, 4));
  EXPECT_THAT(plan_batch(waiting({{1, 500}, {1, 8}, {1, 510}, {1, 9}}), {8, 0, true}, CostModel()),
              ElementsAre(0, 2));
}

TEST(BatchPlan, the_bound_of_tokens_counts_padding) {
  const BatchLimits limits{8, 40, true};
  EXPECT_THAT(plan_batch(waiting({{1, 20}, {1, 20}, {1, 20}}), limits, CostModel()),
              ElementsAre(0, 1));
  EXPECT_THAT(plan_batch(waiting({{1, 18}, {1, 20}, {1, 21}}), limits, CostModel()),
              ElementsAre(0, 1));
}

TEST(BatchPlan, jobs_of_one_length_fill_the_batch_of_the_first) {
  const Waiting jobs = waiting(std::vector<Size>(20, {1, 7}));
  std::vector<std::size_t> first(8);
  std::iota(first.begin(), first.end(), std::size_t{0});
  EXPECT_EQ(plan_batch(jobs, {8, 0, true}, CostModel()), first);
}

TEST(BatchPlan, jobs_without_length_share_a_batch) {
  EXPECT_THAT(plan_batch(waiting({{1, 0}, {1, 0}, {1, 0}}), {8, 16, true}, CostModel()),
              ElementsAre(0, 1, 2));
}

// A cost that grows faster than the size makes the call look free.
TEST(BatchPlan, jobs_of_one_length_share_a_batch_when_a_call_seems_to_cost_nothing) {
  CostModel costs;
  costs.observe(1, std::chrono::milliseconds(1));
  costs.observe(10, std::chrono::milliseconds(100));
  ASSERT_LE(costs.units_per_call(), 1e-9);
  EXPECT_THAT(plan_batch(waiting({{1, 7}, {1, 8}, {1, 7}}), {8, 0, true}, costs),
              ElementsAre(0, 2));
}

TEST(BatchPlan, a_long_queue_is_planned_within_the_limits) {
  std::mt19937 random(2);
  std::vector<Size> sizes(2000);
  for (Size& size : sizes) {
    size = {1 + static_cast<std::int64_t>(random() % 3), static_cast<std::int64_t>(random() % 512)};
  }
  const BatchLimits limits{32, 4096, true};
  expect_sound(plan_batch(waiting(sizes), limits, CostModel()), sizes, limits);
}

}  // namespace
}  // namespace maas
