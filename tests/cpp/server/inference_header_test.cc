// SPDX-License-Identifier: Apache-2.0
#include "maas/server/inference_header.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

struct InferenceHeader : ::testing::Test {
  const HttpRequest& with(std::string_view value) {
    headers = {{"inference-header-content-length", value}};
    http.headers = headers;
    return http;
  }
  std::vector<Header> headers;
  HttpRequest http;
};

TEST_F(InferenceHeader, a_number_within_the_body_is_read) {
  EXPECT_EQ(checked_header_length(http, 10), std::nullopt);
  EXPECT_EQ(checked_header_length(with("0"), 10), 0U);
  EXPECT_EQ(checked_header_length(with("10"), 10), 10U);
  EXPECT_EQ(inference_header_length(with("99")), 99U);
}

TEST_F(InferenceHeader, everything_else_is_refused) {
  for (const char* value : {"11", "-1", "+1", " 1", "1 ", "", "a", "1a", "0x1", "1.0",
                            "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_THROW((void)checked_header_length(with(value), 10), Error) << value;
  }
  EXPECT_EQ(inference_header_length(with("a")), std::nullopt);
}

}  // namespace
}  // namespace maas
