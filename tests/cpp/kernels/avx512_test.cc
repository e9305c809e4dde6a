// SPDX-License-Identifier: Apache-2.0
#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

class Avx512 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (table_ == nullptr) {
      GTEST_SKIP() << "this processor has no avx512";
    }
  }

  const Table* const table_ = find("avx512");
};

TEST_F(Avx512, has_its_own_maths) {
  EXPECT_NE(table_->softmax, scalar().softmax);
  EXPECT_NE(table_->argmax, scalar().argmax);
  EXPECT_NE(table_->top_k, scalar().top_k);
  EXPECT_NE(table_->normalise_image, scalar().normalise_image);
  EXPECT_NE(table_->scale_shift_float32, scalar().scale_shift_float32);
  EXPECT_NE(table_->scale_shift_uint8, scalar().scale_shift_uint8);
  EXPECT_NE(table_->l2_normalise, scalar().l2_normalise);
  EXPECT_NE(table_->mean_pool, scalar().mean_pool);
}

TEST_F(Avx512, softmax_agrees_with_scalar) {
  expect_same_softmax(*table_);
}
TEST_F(Avx512, argmax_agrees_with_scalar) {
  expect_same_argmax(*table_);
}
TEST_F(Avx512, top_k_agrees_with_scalar) {
  expect_same_top_k(*table_);
}
TEST_F(Avx512, normalise_image_is_bit_equal_to_scalar) {
  expect_same_image(*table_);
}
TEST_F(Avx512, scale_shift_is_bit_equal_to_scalar) {
  expect_same_scale_shift(*table_);
}
TEST_F(Avx512, l2_normalise_agrees_with_scalar) {
  expect_same_l2_normalise(*table_);
}
TEST_F(Avx512, mean_pool_is_bit_equal_to_scalar) {
  expect_same_mean_pool(*table_);
}

}  // namespace
}  // namespace maas::kernels::testing
