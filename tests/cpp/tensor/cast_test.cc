// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/cast.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;

template <typename T>
std::vector<float> cast(DType dtype, const std::vector<T>& values) {
  Tensor tensor = Tensor::allocate(dtype, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.mutable_values<T>().begin());
  const Tensor floats = to_float32(tensor);
  EXPECT_EQ(floats.dtype(), DType::kFloat32);
  EXPECT_EQ(floats.shape(), tensor.shape());
  return {floats.values<float>().begin(), floats.values<float>().end()};
}

// The extremes of T, as C++ itself converts them.
template <typename T>
void check_integers(DType dtype) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> values = {0, 1, 77, Limits::min(), Limits::max(), Limits::max() / 2 + 1};
  std::vector<float> expected(values.size());
  std::transform(values.begin(), values.end(), expected.begin(),
                 [](T value) { return static_cast<float>(value); });
  EXPECT_EQ(cast(dtype, values), expected) << numpy_name(dtype);
}

TEST(ToFloat32, converts_every_integer_type) {
  check_integers<std::uint8_t>(DType::kUint8);
  check_integers<std::uint16_t>(DType::kUint16);
  check_integers<std::uint32_t>(DType::kUint32);
  check_integers<std::uint64_t>(DType::kUint64);
  check_integers<std::int8_t>(DType::kInt8);
  check_integers<std::int16_t>(DType::kInt16);
  check_integers<std::int32_t>(DType::kInt32);
  check_integers<std::int64_t>(DType::kInt64);
}

TEST(ToFloat32, rounds_to_nearest_even) {
  constexpr std::int64_t kLimit = 1 << 24U;  // from here on floats are two apart
  EXPECT_THAT(cast<std::int64_t>(DType::kInt64, {kLimit + 1, kLimit + 2, kLimit + 3, -kLimit - 1}),
              ElementsAre(16777216.0F, 16777218.0F, 16777220.0F, -16777216.0F));
  EXPECT_THAT(cast<double>(DType::kFloat64, {0.1, 1e300, -1e300, 1.0 + 0x1p-24, 1e-60}),
              ElementsAre(0.1F, INFINITY, -INFINITY, 1.0F, 0.0F));
  EXPECT_TRUE(std::isnan(cast<double>(DType::kFloat64, {std::nan("")})[0]));
}

TEST(ToFloat32, any_byte_but_zero_is_true) {
  EXPECT_THAT(cast<std::uint8_t>(DType::kBool, {0, 1, 2, 255}), ElementsAre(0, 1, 1, 1));
}

// Every half there is, by its definition.
float half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const auto mantissa = static_cast<float>(bits & 1023U);
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return mantissa != 0 ? NAN : sign * INFINITY;
  }
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24)
                               : std::ldexp(1024.0F + mantissa, exponent - 25));
}

TEST(ToFloat32, converts_every_float16_and_bfloat16_exactly) {
  std::vector<std::uint16_t> all(1U << 16U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint16_t>(i);
  }
  const auto halves = cast(DType::kFloat16, all);
  const auto brains = cast(DType::kBfloat16, all);
  for (const std::uint16_t bits : all) {
    const float expected = half(bits);
    const auto brain = std::bit_cast<float>(std::uint32_t{bits} << 16U);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(halves[bits])) << bits;
    } else {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(halves[bits]), std::bit_cast<std::uint32_t>(expected));
    }
    EXPECT_TRUE(brains[bits] == brain || (std::isnan(brains[bits]) && std::isnan(brain))) << bits;
  }
}

TEST(ToFloat32, of_float32_is_the_tensor_itself) {
  const Tensor tensor = Tensor::zeros(DType::kFloat32, {2, 2});
  EXPECT_EQ(to_float32(tensor).data(), tensor.data());
}

TEST(ToFloat32, of_nothing_is_nothing_and_of_rows_only_those) {
  EXPECT_EQ(to_float32(Tensor::zeros(DType::kInt8, {0, 3})).shape(), (Shape{0, 3}));
  Tensor tensor = Tensor::zeros(DType::kInt8, {3, 1});
  tensor.mutable_values<std::int8_t>()[1] = -7;
  EXPECT_THAT(to_float32(tensor.rows(1, 2)).values<float>(), ElementsAre(-7, 0));
}

TEST(ToFloat32, refuses_bytes) {
  try {
    (void)to_float32(Tensor::allocate(DType::kBytes, {1}));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace maas
