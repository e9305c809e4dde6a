// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/model_stats.h"

#include <array>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ModelStats, counts_each_error_code_apart) {
  ModelStats stats;
  for (const ErrorCode code : kAllErrorCodes) {
    for (int i = 0; i <= static_cast<int>(code); ++i) {
      stats.count_error(code);
    }
  }
  for (const ErrorCode code : kAllErrorCodes) {
    EXPECT_EQ(stats.errors[static_cast<std::size_t>(code)].value(),
              static_cast<std::uint64_t>(code) + 1);
  }
}

TEST(ModelStats, times_reach_from_ten_microseconds_to_the_default_timeout) {
  ModelStats stats;
  for (Histogram* times :
       {&stats.queue_seconds, &stats.batch_seconds, &stats.compute_seconds, &stats.total_seconds}) {
    EXPECT_EQ(times->bounds().front(), 1e-5);
    EXPECT_EQ(times->bounds().back(), 30.0);
    times->observe(31);
    EXPECT_EQ(times->read().counts.back(), 1U);
  }
}

TEST(ModelStats, batch_sizes_are_powers_of_two) {
  const ModelStats stats;
  double expected = 1;
  for (const double bound : stats.batch_rows.bounds()) {
    EXPECT_EQ(bound, expected);
    expected *= 2;
  }
}

}  // namespace
}  // namespace maas
