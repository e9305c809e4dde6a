// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/options.h"

#include <chrono>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::StartsWith;

void expect_named(const BatchOptions& options, const std::string& name) {
  try {
    check_options(options);
    ADD_FAILURE() << name << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), StartsWith(name));
  }
}

TEST(BatchOptions, the_defaults_are_valid) {
  EXPECT_NO_THROW(check_options({}));
}

TEST(BatchOptions, an_option_that_makes_no_sense_is_named) {
  expect_named({.max_batch_size = 0}, "max_batch_size");
  expect_named({.batch_timeout = std::chrono::milliseconds(-1)}, "batch_timeout_ms");
  expect_named({.max_queue_size = 0}, "max_queue_size");
  expect_named({.executors = 0}, "executors");
  expect_named({.pad = {{"x", 0}}, .max_batch_tokens = -1}, "max_batch_tokens");
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    expect_named({.weight = weight}, "weight");
  }
}

TEST(BatchOptions, mask_and_token_budget_need_padding) {
  expect_named({.mask = "mask"}, "mask");
  expect_named({.max_batch_tokens = 10}, "max_batch_tokens");
  EXPECT_NO_THROW(check_options({.pad = {{"x", 0}}, .mask = "mask", .max_batch_tokens = 10}));
}

}  // namespace
}  // namespace maas
