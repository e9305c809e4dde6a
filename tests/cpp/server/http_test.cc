// SPDX-License-Identifier: Apache-2.0
#include "maas/server/http.h"

#include <array>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(HttpRequest, header_names_ignore_case_and_the_first_counts) {
  const std::array<Header, 3> headers = {{{"Accept", "a"}, {"X-Key", "b"}, {"x-key", "c"}}};
  HttpRequest http;
  http.headers = headers;
  EXPECT_EQ(http.header("x-KEY"), "b");
  EXPECT_EQ(http.header("x-ke"), "");
}

TEST(HttpResponse, clear_restores_the_defaults) {
  HttpResponse response;
  response.status = 404;
  response.content_type = "text/plain";
  response.headers = "A: b\r\n";
  response.body = "text";
  response.clear();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.headers, "");
  EXPECT_EQ(response.body, "");
}

TEST(SameToken, only_ascii_case_is_ignored) {
  EXPECT_TRUE(same_token("Keep-Alive", "kEEP-aLIVE"));
  EXPECT_FALSE(same_token("abc", "abcd"));
  EXPECT_FALSE(same_token("a@", "a`"));
}

}  // namespace
}  // namespace maas
