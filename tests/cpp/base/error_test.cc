// SPDX-License-Identifier: Apache-2.0
#include "maas/base/error.h"

#include <algorithm>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace maas {
namespace {

template <typename E>
Error caught(const E& exception) {
  try {
    throw exception;  // NOLINT(bugprone-std-exception-baseclass): what is no std::exception too
  } catch (...) {
    return current_error();
  }
}

TEST(Error, every_code_has_a_distinct_name_in_snake_case) {
  std::set<std::string_view> names;
  for (const ErrorCode code : kAllErrorCodes) {
    const std::string_view name = error_code_name(code);
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || c == '_';
    })) << name;
    EXPECT_TRUE(names.insert(name).second) << name << " names two codes";
  }
  EXPECT_EQ(names.size(), kAllErrorCodes.size());
}

TEST(Error, the_list_of_codes_is_complete_and_in_the_order_of_the_enum) {
  for (std::size_t i = 0; i < kAllErrorCodes.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kAllErrorCodes[i]), i);
  }
  EXPECT_EQ(kAllErrorCodes.back(), ErrorCode::kInternal);
}

TEST(Error, carries_message_detail_and_status) {
  Error error(ErrorCode::kUnprocessable, "x is wrong", R"([{"loc":["x"]}])");
  EXPECT_STREQ(error.what(), "x is wrong");
  EXPECT_EQ(error.detail(), R"([{"loc":["x"]}])");
  EXPECT_EQ(error.http_status(), 0);
  EXPECT_EQ(error.with_http_status(418).http_status(), 418);
  EXPECT_EQ(Error(error).http_status(), 418);
}

TEST(Error, an_error_that_is_caught_stays_what_it_is) {
  const Error error =
      caught(Error(ErrorCode::kNotFound, "no model 'm'", "[]").with_http_status(404));
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(error.message(), "no model 'm'");
  EXPECT_EQ(error.detail(), "[]");
  EXPECT_EQ(error.http_status(), 404);
}

TEST(Error, lack_of_memory_is_overload_and_the_unknown_is_internal) {
  EXPECT_EQ(caught(std::bad_alloc()).code(), ErrorCode::kOverloaded);
  EXPECT_EQ(caught(std::runtime_error("it broke")).code(), ErrorCode::kInternal);
  EXPECT_EQ(caught(std::runtime_error("it broke")).message(), "it broke");
  EXPECT_EQ(caught(42).code(), ErrorCode::kInternal);
  EXPECT_FALSE(caught(42).message().empty());
}

}  // namespace
}  // namespace maas
