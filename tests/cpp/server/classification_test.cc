// SPDX-License-Identifier: Apache-2.0
#include "maas/server/classification.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;

template <typename T>
Tensor tensor(DType dtype, const Shape& shape, const std::vector<T>& values) {
  Tensor out = Tensor::allocate(dtype, shape);
  std::copy(values.begin(), values.end(), out.mutable_values<T>().begin());
  return out;
}

TEST(Classification, the_greatest_of_each_row_come_first) {
  const Tensor x = tensor<float>(DType::kFloat32, {2, 3}, {0.5F, 2, 1, 9, -1, 9});
  const Tensor top = classify(x, true, 2, {});
  EXPECT_EQ(top.shape(), (Shape{2, 2}));
  EXPECT_THAT(top.strings(), ElementsAre("2:1", "1:2", "9:0", "9:2"));
}

TEST(Classification, labels_are_told_where_there_are_any) {
  const std::vector<std::string> labels = {"cat", "dog"};
  const Tensor x = tensor<std::int64_t>(DType::kInt64, {3}, {9007199254740993, 5, 6});
  const Tensor top = classify(x, false, 9, labels);
  EXPECT_EQ(top.shape(), (Shape{3}));
  EXPECT_THAT(top.strings(), ElementsAre("9007199254740993:0:cat", "6:2", "5:1:dog"));
}

TEST(Classification, nan_comes_last) {
  const Tensor x = tensor<double>(DType::kFloat64, {1, 3},
                                  {std::nan(""), -std::numeric_limits<double>::infinity(), 1});
  EXPECT_THAT(classify(x, true, 2, {}).strings(), ElementsAre("1:2", "-inf:1"));
}

TEST(Classification, nothing_is_taken_of_nothing) {
  EXPECT_EQ(classify(tensor<float>(DType::kFloat32, {0, 3}, {}), true, 2, {}).elements(), 0U);
  EXPECT_EQ(classify(tensor<float>(DType::kFloat32, {2, 0}, {}), true, 2, {}).shape(),
            (Shape{2, 0}));
}

TEST(Classification, what_has_no_order_cannot_be_classified) {
  EXPECT_TRUE(can_classify(DType::kUint8));
  for (const DType dtype : {DType::kBool, DType::kFloat16, DType::kBfloat16, DType::kBytes}) {
    EXPECT_FALSE(can_classify(dtype));
  }
}

}  // namespace
}  // namespace maas
