// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/pad.h"

#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;

Tensor counted(const Shape& shape, std::int64_t from = 1) {
  Tensor tensor = Tensor::allocate(DType::kInt64, shape);
  const auto values = tensor.mutable_values<std::int64_t>();
  std::iota(values.begin(), values.end(), from);
  return tensor;
}

std::vector<std::int64_t> values_of(const Tensor& tensor) {
  return {tensor.values<std::int64_t>().begin(), tensor.values<std::int64_t>().end()};
}

TEST(StackPadded, shorter_rows_are_filled_up_behind_their_end) {
  const std::vector<Tensor> parts = {counted({1, 2}), counted({2, 3}, 10), counted({1, 0})};
  const Tensor out = stack_padded(parts, 1, 3, element_of(DType::kInt64, -7));
  EXPECT_EQ(out.shape(), (Shape{4, 3}));
  EXPECT_THAT(values_of(out), ElementsAre(1, 2, -7, 10, 11, 12, 13, 14, 15, -7, -7, -7));
}

TEST(StackPadded, an_inner_axis_is_padded_block_by_block) {
  const std::vector<Tensor> parts = {counted({1, 2, 1, 2}), counted({1, 2, 2, 2}, 10)};
  const Tensor out = stack_padded(parts, 2, 2, element_of(DType::kInt64, 0));
  EXPECT_EQ(out.shape(), (Shape{2, 2, 2, 2}));
  EXPECT_THAT(values_of(out), ElementsAre(1, 2, 0, 0, 3, 4, 0, 0, 10, 11, 12, 13, 14, 15, 16, 17));
}

TEST(StackPadded, one_part_of_full_length_is_not_copied) {
  const Tensor part = counted({2, 3});
  const Tensor out = stack_padded({&part, 1}, 1, 3, element_of(DType::kInt64, 0));
  EXPECT_EQ(out.data(), part.data());
}

TEST(StackPadded, strings_are_filled_up_with_empty_ones) {
  const std::vector<Tensor> parts = {Tensor::from_strings({"a"}, {1, 1}),
                                     Tensor::from_strings({"b", "c"}, {1, 2})};
  const Tensor out = stack_padded(parts, 1, 2, element_of(DType::kBytes, 0));
  EXPECT_THAT(out.strings(), ElementsAre("a", "", "b", "c"));
}

TEST(Narrow, undoes_what_padding_did) {
  const Tensor padded = counted({2, 3, 2});
  EXPECT_THAT(values_of(narrow(padded, 1, 2)), ElementsAre(1, 2, 3, 4, 7, 8, 9, 10));
  EXPECT_EQ(narrow(padded, 1, 2).shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(narrow(padded, 1, 0).elements(), 0U);
}

TEST(Narrow, shares_memory_where_that_is_contiguous) {
  const Tensor one_row = counted({1, 3, 2});
  EXPECT_EQ(narrow(one_row, 1, 2).data(), one_row.data());
  EXPECT_THAT(values_of(narrow(one_row, 1, 2)), ElementsAre(1, 2, 3, 4));
  const Tensor whole = counted({2, 3});
  EXPECT_EQ(narrow(whole, 1, 3).data(), whole.data());
}

TEST(Narrow, strings_are_cut_too) {
  const Tensor padded = Tensor::from_strings({"a", "", "b", "c"}, {2, 2});
  EXPECT_THAT(narrow(padded, 1, 1).strings(), ElementsAre("a", "b"));
}

TEST(ElementOf, holds_the_value_in_the_dtype_of_its_tensor) {
  const Tensor halves[] = {Tensor::allocate(DType::kFloat32, {1, 0})};
  const Tensor out = stack_padded(halves, 1, 2, element_of(DType::kFloat32, 0.5));
  EXPECT_THAT(out.values<float>(), ElementsAre(0.5F, 0.5F));
  EXPECT_EQ(element_of(DType::kInt8, -128).size, 1U);
  EXPECT_EQ(element_of(DType::kBool, 1).bytes[0], std::byte{1});
  EXPECT_NO_THROW((void)element_of(DType::kUint64, 9007199254740992.0));
}

TEST(ElementOf, a_value_that_the_dtype_cannot_hold_is_refused) {
  const auto refused = [](DType dtype, double value) {
    EXPECT_THROW((void)element_of(dtype, value), Error) << numpy_name(dtype) << " " << value;
  };
  refused(DType::kInt8, 128);
  refused(DType::kInt8, 0.5);
  refused(DType::kUint8, -1);
  refused(DType::kBool, 2);
  refused(DType::kInt64, 9223372036854775808.0);
  refused(DType::kInt64, std::numeric_limits<double>::quiet_NaN());
  refused(DType::kFloat16, 1);
  refused(DType::kBytes, 1);
}

}  // namespace
}  // namespace maas
