// SPDX-License-Identifier: Apache-2.0
#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

class Avx512Parse : public ::testing::Test {
 protected:
  void SetUp() override {
    if (table_ == nullptr) {
      GTEST_SKIP() << "this processor has no avx512";
    }
  }

  const Table* const table_ = find("avx512");
};

TEST_F(Avx512Parse, is_its_own) {
  EXPECT_NE(table_->parse_float32, scalar().parse_float32);
  EXPECT_NE(table_->parse_int64, scalar().parse_int64);
}

TEST_F(Avx512Parse, random_and_damaged_lists_read_as_scalar_reads_them) {
  expect_same_parse(*table_);
}

TEST_F(Avx512Parse, an_error_is_found_at_every_place_of_a_block) {
  expect_same_errors(*table_);
}

TEST_F(Avx512Parse, numbers_of_every_length_stand_at_every_place_of_a_block) {
  expect_same_lengths(*table_);
}

TEST_F(Avx512Parse, decimals_near_the_middle_of_two_floats_round_as_scalar_rounds_them) {
  expect_same_rounding(*table_);
}

}  // namespace
}  // namespace maas::kernels::testing
