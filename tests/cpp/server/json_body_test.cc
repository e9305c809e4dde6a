// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_body.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

// The status of a request with that header; 200 when it is let through.
int status_of(std::string_view name, std::string_view value) {
  const std::vector<Header> headers = {{name, value}};
  HttpRequest http;
  http.headers = headers;
  try {
    require_json_type(http);
    return 200;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.http_status();
  }
}

TEST(JsonBody, json_in_utf8_is_let_through) {
  for (const char* type : {"application/json", "Application/JSON",
                           "application/json; charset=utf-8", "application/json;charset=UTF-8",
                           "application/json ; charset=\"utf-8\"", "application/json;"}) {
    EXPECT_EQ(status_of("Content-Type", type), 200) << type;
  }
  EXPECT_EQ(status_of("Accept", "text/html"), 200);
}

TEST(JsonBody, other_types_and_charsets_are_415) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                           "application/json; charset=utf-16", "application/json; boundary=x", ";",
                           "text/plain; application/json"}) {
    EXPECT_EQ(status_of("content-type", type), 415) << type;
  }
}

}  // namespace
}  // namespace maas
