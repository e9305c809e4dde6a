// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_answer.h"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

namespace maas {
namespace {

const HeadFrame kFrame{.request_id = "id", .date = "today"};

HttpResponse response_of(std::size_t size) {
  HttpResponse response;
  response.body.assign(size, 'x');
  return response;
}

TEST(OutgoingAnswer, short_body_is_sent_with_the_head) {
  const HttpResponse response = response_of(5);
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  EXPECT_TRUE(answer.rest().head.ends_with("\r\n\r\nxxxxx"));
  EXPECT_EQ(answer.rest().body, "");
}

TEST(OutgoingAnswer, long_body_is_not_copied) {
  const HttpResponse response = response_of(100'000);
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  EXPECT_EQ(answer.rest().body.data(), response.body.data());
}

TEST(OutgoingAnswer, every_byte_is_sent_once) {
  for (const std::size_t size : {0, 5, 20'000}) {
    const HttpResponse response = response_of(size);
    OutgoingAnswer answer;
    answer.set(response, kFrame, true, {});
    const std::string all = std::string(answer.rest().head) + std::string(answer.rest().body);
    std::string sent;
    while (!answer.done()) {
      const OutgoingAnswer::Rest rest = answer.rest();
      const std::string next = (std::string(rest.head) + std::string(rest.body)).substr(0, 7);
      sent += next;
      answer.advance(next.size());
    }
    EXPECT_EQ(sent, all);
  }
}

TEST(OutgoingAnswer, is_used_again_also_without_a_body) {
  const HttpResponse response = response_of(20'000);
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  answer.advance(10);
  answer.set(response, kFrame, false, {});
  EXPECT_TRUE(answer.rest().head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(answer.rest().head.find("Content-Length: 20000\r\n"), std::string_view::npos);
  EXPECT_EQ(answer.rest().body, "");
}

}  // namespace
}  // namespace maas
