// SPDX-License-Identifier: Apache-2.0
#include "maas/base/unique_function.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace maas {
namespace {

int twice(int x) {
  return 2 * x;
}

TEST(UniqueFunction, holds_a_capture_that_can_only_be_moved) {
  UniqueFunction<int(int)> function = [five = std::make_unique<int>(5)](int x) {
    return *five + x;
  };
  UniqueFunction<int(int)> moved = std::move(function);
  EXPECT_FALSE(function);  // NOLINT(bugprone-use-after-move): the state that is promised
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved(2), 7);
}

TEST(UniqueFunction, destroys_its_capture_once_with_the_last_owner) {
  const auto token = std::make_shared<int>(0);
  {
    UniqueFunction<void()> function = [token] {};
    EXPECT_EQ(token.use_count(), 2);
    UniqueFunction<void()> moved = std::move(function);
    EXPECT_EQ(token.use_count(), 2);
    moved = {};
    EXPECT_EQ(token.use_count(), 1);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(UniqueFunction, takes_plain_functions_copies_and_mutable_lambdas) {
  UniqueFunction<int(int)> plain = twice;
  EXPECT_EQ(plain(4), 8);
  const auto lambda = [](int x) { return x + 1; };
  UniqueFunction<int(int)> copy = lambda;
  EXPECT_EQ(copy(1), lambda(1));
  UniqueFunction<int()> counts = [n = 0]() mutable { return ++n; };
  EXPECT_EQ(counts(), 1);
  EXPECT_EQ(counts(), 2);
}

TEST(UniqueFunction, without_a_result_takes_a_callable_that_has_one) {
  int calls = 0;
  UniqueFunction<void(int)> function = [&](int x) { return calls += x; };
  function(3);
  EXPECT_EQ(calls, 3);
}

TEST(UniqueFunction, passes_arguments_without_a_copy) {
  UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>)> same = [](std::unique_ptr<int> p) {
    return p;
  };
  EXPECT_EQ(*same(std::make_unique<int>(3)), 3);
  UniqueFunction<void(std::string&)> append = [](std::string& text) { text += '!'; };
  std::string text = "hi";
  append(text);
  EXPECT_EQ(text, "hi!");
}

TEST(UniqueFunction, lets_exceptions_through) {
  UniqueFunction<void()> function = [] { throw std::runtime_error("no"); };
  EXPECT_THROW(function(), std::runtime_error);
}

}  // namespace
}  // namespace maas
