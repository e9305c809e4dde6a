// SPDX-License-Identifier: Apache-2.0
#include "maas/server/response_head.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(AppendHead, has_what_a_client_needs) {
  HttpResponse response;
  response.body = "12345";
  response.headers = "Allow: GET\r\n";
  std::string out = "before ";
  append_head(out, response, {.request_id = "id", .date = "today"});
  EXPECT_EQ(out,
            "before HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
            "Date: today\r\nX-Request-Id: id\r\nAllow: GET\r\n\r\n");
}

TEST(AppendHead, says_when_the_connection_closes) {
  std::string closing;
  append_head(closing, {}, {.request_id = "i", .date = "d", .keep_alive = false});
  EXPECT_NE(closing.find("\r\nConnection: close\r\n"), std::string::npos);
  std::string old;
  append_head(old, {}, {.request_id = "i", .date = "d", .http_1_0 = true});
  EXPECT_NE(old.find("\r\nConnection: keep-alive\r\n"), std::string::npos);
}

TEST(AppendHead, status_without_a_body_has_no_length) {
  HttpResponse response;
  response.status = 204;
  std::string out;
  append_head(out, response, {.request_id = "i", .date = "d"});
  EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nDate: d\r\nX-Request-Id: i\r\n\r\n");
}

TEST(ResponseHead, the_version_of_a_model_is_a_field) {
  std::string headers = "A: b\r\n";
  append_model_version(headers, 12);
  EXPECT_EQ(headers, "A: b\r\nX-Model-Version: 12\r\n");
}

TEST(HttpDate, is_written_as_the_standard_wants) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace maas
