// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_answer.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace maas {
namespace {

const HeadFrame kFrame{.request_id = "id", .date = "today"};

HttpResponse response_of(std::size_t size) {
  HttpResponse response;
  response.body.assign(size, 'x');
  return response;
}

std::string all_of(const OutgoingAnswer& answer) {
  std::string all;
  for (const std::string_view part : answer.rest()) {
    all += part;
  }
  return all;
}

TEST(OutgoingAnswer, short_body_is_sent_with_the_head) {
  const HttpResponse response = response_of(5);
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  ASSERT_EQ(answer.rest().size(), 1U);
  EXPECT_TRUE(answer.rest()[0].ends_with("\r\n\r\nxxxxx"));
}

TEST(OutgoingAnswer, long_body_is_not_copied) {
  const HttpResponse response = response_of(100'000);
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  ASSERT_EQ(answer.rest().size(), 2U);
  EXPECT_EQ(answer.rest()[1].data(), response.body.data());
}

TEST(OutgoingAnswer, tensors_are_sent_from_where_they_are) {
  HttpResponse response = response_of(10);
  for (int i = 0; i < 20; ++i) {
    response.tensors.push_back(Tensor::zeros(DType::kUint8, Shape{i == 3 ? 0 : 7}));
  }
  OutgoingAnswer answer;
  answer.set(response, kFrame, true, {});
  EXPECT_EQ(answer.rest()[2].data(), response.tensors[0].data());
  std::string sent;
  while (!answer.done()) {
    const std::string next = all_of(answer).substr(0, 3);
    sent += next;
    answer.advance(next.size());
  }
  EXPECT_NE(sent.find("Content-Length: 143\r\n"), std::string::npos);
  EXPECT_TRUE(sent.ends_with("\r\n\r\nxxxxxxxxxx" + std::string(133, '\0')));
}

TEST(OutgoingAnswer, every_byte_is_sent_once) {
  for (const std::size_t size : {0, 5, 20'000}) {
    const HttpResponse response = response_of(size);
    OutgoingAnswer answer;
    answer.set(response, kFrame, true, {});
    const std::string all = all_of(answer);
    std::string sent;
    while (!answer.done()) {
      const std::string next = all_of(answer).substr(0, 7);
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
  ASSERT_EQ(answer.rest().size(), 1U);
  EXPECT_TRUE(answer.rest()[0].starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(answer.rest()[0].find("Content-Length: 20000\r\n"), std::string_view::npos);
}

}  // namespace
}  // namespace maas
