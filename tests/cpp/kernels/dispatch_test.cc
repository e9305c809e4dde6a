// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#include "differential.h"  // IWYU pragma: keep
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas::kernels::testing {
namespace {

// Leaves the process with 0 when active() is `expected` under MAAS_FORCE_ISA=`forced`. For a new
// process, because the choice is made once.
[[noreturn]] void exit_with_choice(const char* forced, const std::string& expected) {
  if (forced != nullptr) {
    setenv("MAAS_FORCE_ISA", forced, 1);
  } else {
    unsetenv("MAAS_FORCE_ISA");
  }
  try {
    std::exit(active().name == expected && &active() == &select(expected) ? 0 : 1);
  } catch (const Error&) {
    std::exit(2);
  }
}

class Dispatch : public ::testing::Test {
 protected:
  Dispatch() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(Dispatch, scalar_comes_first_and_every_table_is_complete) {
  EXPECT_STREQ(available().front().name, "scalar");
  for (const Table& table : available()) {
    EXPECT_TRUE(table.parse_float32 && table.parse_int64 && table.print_float32 &&
                table.print_int64 && table.softmax && table.argmax && table.top_k)
        << table.name;
    EXPECT_TRUE(table.normalise_image && table.scale_shift_float32 && table.scale_shift_uint8 &&
                table.l2_normalise && table.mean_pool)
        << table.name;
  }
}

TEST_F(Dispatch, the_best_table_is_active_unless_told_otherwise) {
  EXPECT_EXIT(exit_with_choice(nullptr, available().back().name), ::testing::ExitedWithCode(0), "");
}

TEST_F(Dispatch, the_forced_table_is_used) {
  for (const Table& table : available()) {
    EXPECT_EXIT(exit_with_choice(table.name, table.name), ::testing::ExitedWithCode(0), "");
  }
}

TEST_F(Dispatch, an_unknown_forced_name_is_an_error) {
  EXPECT_EXIT(exit_with_choice("avx9", "scalar"), ::testing::ExitedWithCode(2), "");
  EXPECT_EXIT(exit_with_choice("", "scalar"), ::testing::ExitedWithCode(2), "");
}

TEST_F(Dispatch, the_error_names_the_choices) {
  try {
    select("avx9");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("'avx9'"));
    EXPECT_THAT(error.message(), ::testing::HasSubstr("use one of: scalar"));
  }
}

}  // namespace
}  // namespace maas::kernels::testing
