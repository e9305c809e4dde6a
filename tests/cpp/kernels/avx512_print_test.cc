// SPDX-License-Identifier: Apache-2.0
#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

TEST(Avx512Print, random_floats_print_as_scalar_prints_them) {
  const Table* const table = find("avx512");
  if (table == nullptr) {
    GTEST_SKIP() << "this processor has no avx512";
  }
  EXPECT_NE(table->print_float32, scalar().print_float32);
  expect_same_print(*table);
}

}  // namespace
}  // namespace maas::kernels::testing
