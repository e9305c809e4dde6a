// SPDX-License-Identifier: Apache-2.0
#include "maas/base/result.h"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace maas {
namespace {

Result<std::string> greet(bool well) {
  if (well) {
    return std::string("hello");
  }
  return Error(ErrorCode::kCancelled, "nobody there");
}

TEST(Result, holds_a_value_or_an_error) {
  const Result<std::string> good = greet(true);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "hello");
  EXPECT_EQ(good->size(), 5U);
  const Result<std::string> bad = greet(false);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code(), ErrorCode::kCancelled);
}

TEST(Result, value_throws_the_error) {
  EXPECT_EQ(greet(true).value(), "hello");
  try {
    (void)greet(false).value();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "nobody there");
  }
}

TEST(Result, holds_what_can_only_be_moved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
  EXPECT_EQ(*Result<std::unique_ptr<int>>(std::make_unique<int>(8)).value(), 8);
}

TEST(Result, a_status_is_success_or_an_error) {
  EXPECT_TRUE(ok_status());
  const Status failed = Error(ErrorCode::kOverloaded, "full");
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "full");
}

}  // namespace
}  // namespace maas
