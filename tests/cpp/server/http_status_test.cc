// SPDX-License-Identifier: Apache-2.0
#include "maas/server/http_status.h"

#include <map>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(HttpStatus, every_error_code_has_its_status) {
  const std::map<ErrorCode, int> expected = {
      {ErrorCode::kInvalidArgument, 400},  {ErrorCode::kUnprocessable, 422},
      {ErrorCode::kNotFound, 404},         {ErrorCode::kAlreadyExists, 409},
      {ErrorCode::kUnauthorized, 401},     {ErrorCode::kForbidden, 403},
      {ErrorCode::kTooLarge, 413},         {ErrorCode::kOverloaded, 503},
      {ErrorCode::kDeadlineExceeded, 504}, {ErrorCode::kCancelled, 499},
      {ErrorCode::kUnavailable, 503},      {ErrorCode::kInternal, 500},
      {ErrorCode::kConflict, 409},
  };
  for (const ErrorCode code : kAllErrorCodes) {
    EXPECT_EQ(http_status(code), expected.at(code)) << error_code_name(code);
    EXPECT_NE(reason_phrase(http_status(code)), "");
  }
}

TEST(HttpStatus, status_that_an_error_asks_for_wins) {
  Error error(ErrorCode::kInternal, "x");
  EXPECT_EQ(http_status(error), 500);
  EXPECT_EQ(http_status(error.with_http_status(418)), 418);
}

TEST(HttpStatus, status_without_a_phrase_has_an_empty_one) {
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace maas
