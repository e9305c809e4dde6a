// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/inference_stats.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(InferenceStats, requests_are_counted_with_their_nanoseconds) {
  InferenceStats stats;
  for (int i = 0; i < 2; ++i) {
    stats.count_success({.queue = Duration(10),
                         .input = Duration(1),
                         .compute = Duration(20),
                         .output = Duration(2),
                         .batch_rows = 7},
                        3, Duration(33));
  }
  stats.count_failure(Duration(5));
  stats.count_failure({});
  EXPECT_EQ(stats.success.count.value(), 2U);
  EXPECT_EQ(stats.success.nanoseconds.value(), 66U);
  EXPECT_EQ(stats.queue.nanoseconds.value(), 20U);
  EXPECT_EQ(stats.compute_input.nanoseconds.value(), 2U);
  EXPECT_EQ(stats.compute_infer.nanoseconds.value(), 40U);
  EXPECT_EQ(stats.compute_output.nanoseconds.value(), 4U);
  EXPECT_EQ(stats.fail.count.value(), 2U);
  EXPECT_EQ(stats.fail.nanoseconds.value(), 5U);
  EXPECT_EQ(stats.rows.value(), 6U);
}

TEST(InferenceStats, batches_are_counted_by_their_size) {
  InferenceStats stats;
  stats.count_batch(4, {1, Duration(1), Duration(2), {}});
  stats.count_batch(1, {1, Duration(1), Duration(2), {}});
  stats.count_batch(4, {1, Duration(1), Duration(2), {}});
  stats.add_output(4, Duration(9));
  EXPECT_EQ(stats.executions.value(), 3U);
  const auto batches = stats.batches();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches.at(4).count, 2U);
  EXPECT_EQ(batches.at(4).compute, Duration(4));
  EXPECT_EQ(batches.at(4).output, Duration(9));
  EXPECT_EQ(batches.at(1).output, Duration(0));
}

}  // namespace
}  // namespace maas
