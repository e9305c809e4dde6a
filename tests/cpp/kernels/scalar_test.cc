// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "differential.h"  // IWYU pragma: keep
#include <gtest/gtest.h>

// What every kernel means, on small examples, for all tables that this processor can run.
namespace maas::kernels::testing {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

class Kernel : public ::testing::TestWithParam<const Table*> {
 protected:
  const Table& table_ = *GetParam();
};

std::vector<const Table*> tables() {
  std::vector<const Table*> result;
  for (const Table& table : available()) {
    result.push_back(&table);
  }
  return result;
}

INSTANTIATE_TEST_SUITE_P(Tables, Kernel, ::testing::ValuesIn(tables()), [](const auto& table) {
  return std::string(table.param->name);
});

TEST_P(Kernel, softmax_of_large_numbers_stays_finite_and_sums_to_one) {
  const std::vector<float> in = {1000, 1001, 1002, -kInf};
  std::vector<float> out(4);
  table_.softmax(in.data(), out.data(), 1, 4);
  EXPECT_NEAR(out[0], 0.09003057F, 1e-7);
  EXPECT_NEAR(out[1], 0.24472848F, 1e-7);
  EXPECT_NEAR(out[2], 0.66524094F, 1e-7);
  EXPECT_EQ(out[3], 0);
}

TEST_P(Kernel, softmax_of_a_row_is_the_same_alone_and_in_a_batch) {
  std::vector<float> in(std::size_t{5} * 37);
  for (std::size_t i = 0; i < in.size(); ++i) {
    in[i] = std::sin(static_cast<float>(i)) * 10;
  }
  std::vector<float> batch(in.size());
  std::vector<float> alone(in.size());
  table_.softmax(in.data(), batch.data(), 5, 37);
  for (std::size_t row = 0; row < 5; ++row) {
    table_.softmax(in.data() + row * 37, alone.data() + row * 37, 1, 37);
  }
  EXPECT_EQ(batch, alone);
}

TEST_P(Kernel, softmax_spoils_only_the_row_with_the_nan) {
  const std::vector<float> in = {1, kNan, 2, 1, 1, 1, kInf, 0, 0};
  std::vector<float> out(9);
  table_.softmax(in.data(), out.data(), 3, 3);
  for (const std::size_t i : {0U, 1U, 2U, 6U, 7U, 8U}) {
    EXPECT_TRUE(std::isnan(out[i])) << i;
  }
  EXPECT_FLOAT_EQ(out[3], 1.0F / 3);
}

TEST_P(Kernel, argmax_takes_the_first_of_equals_and_nan_before_any_number) {
  const std::vector<float> in = {1, 3, 3, 5, kNan, kNan, -kInf, -kInf, -kInf};
  std::vector<std::int64_t> out(3);
  table_.argmax(in.data(), out.data(), 3, 3);
  EXPECT_EQ(out, (std::vector<std::int64_t>{1, 1, 0}));
}

TEST_P(Kernel, top_k_is_descending_with_the_lower_index_first_among_equals) {
  const std::vector<float> in = {2, 7, 7, kNan, 1, 7, -kInf, 9};
  std::vector<float> values(5);
  std::vector<std::int64_t> indices(5);
  table_.top_k(in.data(), 1, in.size(), {values.data(), indices.data(), 5});
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(indices, (std::vector<std::int64_t>{3, 7, 1, 2, 5}));
}

TEST_P(Kernel, normalise_image_pulls_the_channels_apart) {
  const std::vector<std::uint8_t> in = {255, 0, 51, 102, 153, 204};
  const std::vector<float> mean = {0.5F, 0, 0.2F};
  const std::vector<float> inv_std = {2, 1, 5};
  std::vector<float> out(6);
  table_.normalise_image(in.data(), out.data(), {1, 2, 3},
                         {1.0F / 255, mean.data(), inv_std.data()});
  const std::vector<float> expected = {1, -0.2F, 0, 0.6F, 0, 3};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(out[i], expected[i], 1e-6) << i;
  }
}

TEST_P(Kernel, scale_shift_scales_then_shifts) {
  const std::vector<float> in = {0, 1, -2};
  const std::vector<std::uint8_t> bytes = {0, 1, 255};
  std::vector<float> out(3);
  table_.scale_shift_float32(in.data(), out.data(), 3, 2, 0.5F);
  EXPECT_EQ(out, (std::vector<float>{0.5F, 2.5F, -3.5F}));
  table_.scale_shift_uint8(bytes.data(), out.data(), 3, 2, -1);
  EXPECT_EQ(out, (std::vector<float>{-1, 1, 509}));
}

TEST_P(Kernel, l2_normalise_gives_rows_of_length_one_and_leaves_zeros) {
  const std::vector<float> in = {3, 4, 0, 0};
  std::vector<float> out(4);
  table_.l2_normalise(in.data(), out.data(), 2, 2, 1e-12F);
  EXPECT_EQ(out, (std::vector<float>{0.6F, 0.8F, 0, 0}));
}

TEST_P(Kernel, mean_pool_counts_only_tokens_of_the_mask) {
  const std::vector<float> in = {1, 2, 3, 4, kNan, kNan, 5, 5, 5, 5, 5, 5};
  const std::vector<std::int64_t> mask = {1, 1, 0, 0, 0, 0};
  std::vector<float> out(4);
  table_.mean_pool(in.data(), mask.data(), out.data(), {2, 3, 2});
  EXPECT_EQ(out, (std::vector<float>{2, 3, 0, 0}));
}

}  // namespace
}  // namespace maas::kernels::testing
