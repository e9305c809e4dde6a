// SPDX-License-Identifier: Apache-2.0
#include "maas/base/metrics.h"

#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "on_threads.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;

constexpr std::array kBounds = {1.0, 2.0, 4.0};

TEST(Histogram, upper_bounds_are_inclusive_and_the_last_bucket_has_none) {
  Histogram histogram(kBounds);
  for (const double value : {-1.0, 0.5, 1.0, 1.0000001, 2.0, 4.0, 4.1, 1e300}) {
    histogram.observe(value);
  }
  histogram.observe(std::numeric_limits<double>::infinity());
  EXPECT_THAT(histogram.read().counts, ElementsAre(3, 2, 1, 3));
  EXPECT_EQ(histogram.read().total, 9U);
  EXPECT_THAT(std::vector<double>(histogram.bounds().begin(), histogram.bounds().end()),
              ElementsAre(1.0, 2.0, 4.0));
}

TEST(Histogram, sums_what_it_saw) {
  Histogram histogram(kBounds);
  histogram.observe(1.5);
  histogram.observe(2.5);
  EXPECT_EQ(histogram.read().sum, 4.0);
}

TEST(Histogram, without_bounds_has_one_bucket) {
  Histogram histogram({});
  histogram.observe(7);
  EXPECT_THAT(histogram.read().counts, ElementsAre(1));
}

TEST(Histogram, takes_at_most_its_number_of_bounds_and_only_ascending_ones) {
  std::vector<double> bounds(Histogram::kMaxBounds);
  std::iota(bounds.begin(), bounds.end(), 0.0);
  Histogram full(bounds);
  full.observe(1e9);
  EXPECT_EQ(full.read().counts.back(), 1U);
  bounds.push_back(1e6);
  EXPECT_THROW(Histogram{bounds}, Error);
  constexpr std::array kDescending = {2.0, 1.0};
  EXPECT_THROW(Histogram{kDescending}, Error);
}

TEST(Metrics, count_from_many_threads_without_loss) {
  Counter counter;
  Gauge gauge;
  Histogram histogram(kBounds);
  testing::run_on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 1000; ++i) {
      counter.add();
      counter.add(2);
      gauge.add(3);
      gauge.add(-2);
      histogram.observe(i % 5);
    }
  });
  EXPECT_EQ(counter.value(), 12000U);
  EXPECT_EQ(gauge.value(), 4000);
  EXPECT_THAT(histogram.read().counts, ElementsAre(1600, 800, 1600, 0));
  EXPECT_EQ(histogram.read().sum, 8000.0);
}

}  // namespace
}  // namespace maas
