// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/tensor.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor counting(const Shape& shape, std::int32_t from = 0) {
  Tensor tensor = Tensor::allocate(DType::kInt32, shape);
  const auto values = tensor.mutable_values<std::int32_t>();
  std::iota(values.begin(), values.end(), from);
  return tensor;
}

std::string message(const std::vector<Tensor>& parts) {
  try {
    (void)concat_rows(parts);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "nothing was thrown";
}

TEST(Tensor, by_default_is_empty) {
  const Tensor tensor;
  EXPECT_EQ(tensor.elements(), 0U);
  EXPECT_EQ(tensor.byte_size(), 0U);
  EXPECT_EQ(tensor.shape(), Shape{0});
  EXPECT_EQ(tensor.rows(0, 0).elements(), 0U);
}

void expect_zeros(DType dtype, std::int64_t size) {
  const Tensor tensor = Tensor::zeros(dtype, {size, 3});
  EXPECT_EQ(tensor.dtype(), dtype);
  EXPECT_EQ(tensor.elements(), static_cast<std::size_t>(size * 3));
  EXPECT_EQ(tensor.byte_size(), tensor.elements() * dtype_size(dtype));
  if (dtype == DType::kBytes) {
    EXPECT_THAT(tensor.strings(), Each(""));
    return;
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0U);
  const auto* bytes = static_cast<const unsigned char*>(tensor.data());
  EXPECT_THAT(std::vector(bytes, bytes + tensor.byte_size()), Each(0));
}

TEST(Tensor, allocates_aligned_memory_for_every_dtype) {
  for (std::size_t i = 0; i < kDTypes; ++i) {
    for (const std::int64_t size : {0, 1, 3, 100}) {
      expect_zeros(static_cast<DType>(i), size);
    }
  }
}

void expect_refused(DType dtype, const Shape& shape) {
  try {
    (void)Tensor::allocate(dtype, shape);
    FAIL() << shape.to_string();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr(shape.to_string()));
  }
}

TEST(Tensor, a_shape_that_is_negative_or_too_large_is_refused) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const Shape& shape : {Shape{-1}, Shape{2, -3}, Shape{kMax, 2}, Shape{kMax / 4},
                             Shape{std::int64_t{1} << 61U, 2}}) {
    expect_refused(DType::kInt64, shape);
    expect_refused(DType::kBytes, shape);
    EXPECT_THROW((void)Tensor::borrow(DType::kInt64, shape, nullptr, nullptr), Error);
    EXPECT_THROW((void)Tensor::from_strings({}, shape), Error);
  }
}

TEST(Tensor, copies_share_memory_that_lives_as_long_as_the_last_of_them) {
  std::vector<Tensor> views;
  {
    Tensor tensor = counting({4, 2});
    views = {tensor, tensor.rows(1, 2), tensor.reshaped({8})};
    EXPECT_EQ(views[0].data(), tensor.data());
    tensor.mutable_values<std::int32_t>()[2] = 42;
  }
  EXPECT_THAT(views[0].values<std::int32_t>(), ElementsAre(0, 1, 42, 3, 4, 5, 6, 7));
  EXPECT_THAT(views[1].values<std::int32_t>(), ElementsAre(42, 3, 4, 5));
  EXPECT_EQ(views[2].shape(), Shape{8});
}

TEST(Tensor, borrowed_memory_is_kept_by_its_owner_alone) {
  const auto owner = std::make_shared<std::vector<float>>(6, 1.5F);
  {
    const Tensor tensor = Tensor::borrow(DType::kFloat32, {3, 2}, owner->data(), owner);
    const Tensor row = tensor.rows(2, 1);
    EXPECT_EQ(owner.use_count(), 3);
    EXPECT_THAT(row.values<float>(), ElementsAre(1.5F, 1.5F));
  }
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(Tensor, rows_are_those_asked_for) {
  const Tensor tensor = counting({5, 2, 2});
  EXPECT_EQ(tensor.rows(3, 2).shape(), (Shape{2, 2, 2}));
  EXPECT_THAT(tensor.rows(3, 1).values<std::int32_t>(), ElementsAre(12, 13, 14, 15));
  EXPECT_THAT(tensor.rows(1, 3).rows(2, 1).values<std::int32_t>(), ElementsAre(12, 13, 14, 15));
  EXPECT_EQ(tensor.rows(5, 0).elements(), 0U);
  EXPECT_EQ(counting({3, 0}).rows(1, 2).shape(), (Shape{2, 0}));
  EXPECT_THAT(counting({4}).rows(2, 2).values<std::int32_t>(), ElementsAre(2, 3));
}

TEST(Tensor, another_shape_must_have_as_many_elements) {
  const Tensor tensor = counting({2, 3});
  EXPECT_EQ(tensor.reshaped({3, 2}).shape(), (Shape{3, 2}));
  EXPECT_EQ(tensor.reshaped({3, 2}).data(), tensor.data());
  EXPECT_EQ(counting({1}).reshaped({}).shape().rank(), 0U);
  for (const Shape& shape : {Shape{7}, Shape{-1, 6}, Shape{-2, -3}, Shape{}}) {
    EXPECT_THROW((void)tensor.reshaped(shape), Error) << shape.to_string();
  }
}

TEST(Tensor, holds_strings_of_any_bytes) {
  const std::string zeros("\0a\0", 3);
  const Tensor tensor = Tensor::from_strings({"x", "", zeros, std::string(1000, 'y')}, {2, 2});
  EXPECT_EQ(tensor.rows(1, 1).strings()[0], zeros);
  EXPECT_EQ(tensor.rows(1, 1).strings()[1].size(), 1000U);
  EXPECT_THROW((void)Tensor::from_strings({"x"}, {2}), Error);
  EXPECT_EQ(Tensor::from_strings({}, {0}).elements(), 0U);
}

TEST(ConcatRows, stacks_along_the_leading_dimension) {
  const std::vector<Tensor> parts = {counting({1, 2}), counting({2, 2}, 10), counting({0, 2}),
                                     counting({1, 2}, 20)};
  const Tensor stacked = concat_rows(parts);
  EXPECT_EQ(stacked.shape(), (Shape{4, 2}));
  EXPECT_THAT(stacked.values<std::int32_t>(), ElementsAre(0, 1, 10, 11, 12, 13, 20, 21));
}

TEST(ConcatRows, stacks_strings) {
  const std::vector<Tensor> parts = {Tensor::from_strings({"a", "b"}, {1, 2}),
                                     Tensor::from_strings({"c", "d", "e", "f"}, {2, 2})};
  EXPECT_THAT(concat_rows(parts).strings(), ElementsAre("a", "b", "c", "d", "e", "f"));
  EXPECT_EQ(parts[0].strings()[0], "a");
}

TEST(ConcatRows, stacks_tensors_without_rows_or_memory) {
  const std::vector<Tensor> parts = {Tensor(), Tensor()};
  EXPECT_EQ(concat_rows(parts).shape(), Shape{0});
  const std::vector<Tensor> narrow = {counting({2, 0}), counting({3, 0})};
  EXPECT_EQ(concat_rows(narrow).shape(), (Shape{5, 0}));
}

TEST(ConcatRows, of_one_tensor_copies_nothing) {
  const Tensor tensor = counting({3});
  const std::vector<Tensor> parts = {tensor};
  EXPECT_EQ(concat_rows(parts).data(), tensor.data());
}

TEST(ConcatRows, refuses_what_does_not_fit_together_and_says_what) {
  EXPECT_THAT(message({}), HasSubstr("nothing to stack"));
  EXPECT_THAT(message({counting({1, 2}), counting({1, 3})}),
              AllOf(HasSubstr("[1, 2]"), HasSubstr("[1, 3]")));
  EXPECT_THAT(message({counting({1}), Tensor::zeros(DType::kInt64, {1})}),
              AllOf(HasSubstr("int32"), HasSubstr("int64")));
  EXPECT_THAT(message({counting({}), counting({})}), HasSubstr("cannot stack"));
}

}  // namespace
}  // namespace maas
