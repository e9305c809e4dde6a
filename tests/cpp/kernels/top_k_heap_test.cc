// SPDX-License-Identifier: Apache-2.0
#include "maas/kernels/top_k_heap.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace maas::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(TopKHeap, nan_is_greater_than_numbers_and_not_than_itself) {
  EXPECT_TRUE(is_greater(kNan, 1));
  EXPECT_FALSE(is_greater(1, kNan));
  EXPECT_FALSE(is_greater(kNan, kNan));
  EXPECT_FALSE(is_greater(0.0F, -0.0F));
}

TEST(TopKHeap, the_root_is_the_least_entry_and_of_equals_the_last) {
  const std::vector<float> in = {3, 1, 2, 1};
  std::vector<float> values(4);
  std::vector<std::int64_t> indices(4);
  const TopKHeap heap = start_heap(in.data(), {values.data(), indices.data(), 4}, 0);
  EXPECT_EQ(heap.values[0], 1);
  EXPECT_EQ(heap.indices[0], 3);
}

TEST(TopKHeap, sorting_gives_descending_order) {
  const std::vector<float> in = {3, 1, 2, 1};
  std::vector<float> values(4);
  std::vector<std::int64_t> indices(4);
  const TopKHeap heap = start_heap(in.data(), {values.data(), indices.data(), 4}, 0);
  replace_least(heap, 9, 4);
  sort_heap(heap);
  EXPECT_EQ(values, (std::vector<float>{9, 3, 2, 1}));
  EXPECT_EQ(indices, (std::vector<std::int64_t>{4, 0, 2, 1}));
}

}  // namespace
}  // namespace maas::kernels
