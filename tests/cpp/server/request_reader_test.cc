// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_reader.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace maas {
namespace {

using State = RequestReader::State;

// Receives as much of `bytes` as the reader has room for.
std::size_t feed(RequestReader& reader, std::string_view bytes) {
  const std::span<char> space = reader.space();
  const std::size_t n = std::min(space.size(), bytes.size());
  std::copy_n(bytes.begin(), n, space.data());
  reader.add(n);
  return n;
}

// Until the request is complete, `step` bytes at a time; what is left of `bytes`.
std::string_view feed_request(RequestReader& reader, std::string_view bytes, std::size_t step) {
  while (reader.parse() < State::kReady && !bytes.empty()) {
    bytes.remove_prefix(feed(reader, bytes.substr(0, step)));
  }
  return bytes;
}

std::string post(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string post_chunked(const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n" +
         body.substr(0, 1) + "\r\n" + std::string("1869F\r\n") + body.substr(1) + "\r\n0\r\n\r\n";
}

TEST(RequestReader, states_follow_the_bytes) {
  ByteBudget budget;
  RequestReader reader(HttpLimits{}, budget);
  EXPECT_EQ(reader.parse(), State::kIdle);
  feed(reader, "POST /p HTT");
  EXPECT_EQ(reader.parse(), State::kHead);
  feed(reader, "P/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na");
  EXPECT_EQ(reader.parse(), State::kBody);
  EXPECT_EQ(reader.body_bytes(), 1U);
  feed(reader, "bcGET");
  EXPECT_EQ(reader.parse(), State::kReady);
  EXPECT_EQ(reader.request().body, "abc");
  EXPECT_EQ(reader.request().path, "/p");
  EXPECT_TRUE(reader.has_more());
  reader.next();
  EXPECT_EQ(reader.parse(), State::kHead);
}

TEST(RequestReader, bodies_of_every_size_and_cut_arrive_whole) {
  for (const std::size_t size : {0, 1, 1000, 40'000, 100'000}) {
    std::string body(size, ' ');
    std::generate(body.begin(), body.end(),
                  [i = 0]() mutable { return static_cast<char>('a' + ++i % 23); });
    for (const std::size_t step : {7, 1'000, 1'000'000}) {
      ByteBudget budget;
      RequestReader reader(HttpLimits{}, budget);
      const std::string two = post(body) + post(body);
      const std::string_view rest = feed_request(reader, two, step);
      ASSERT_EQ(reader.state(), State::kReady) << size << " by " << step;
      EXPECT_EQ(reader.request().body, body);
      reader.next();
      feed_request(reader, rest, step);
      ASSERT_EQ(reader.state(), State::kReady) << size << " by " << step;
      EXPECT_EQ(reader.request().body, body);
      EXPECT_EQ(reader.request().header("host"), "t");
    }
  }
}

TEST(RequestReader, head_may_begin_at_the_very_end_of_the_memory) {
  for (std::size_t size = 48'900; size < 49'200; size += 7) {
    ByteBudget budget;
    RequestReader reader(HttpLimits{}, budget);
    const std::string two = post(std::string(size, 'x')) + post("next");
    const std::string_view rest = feed_request(reader, two, two.size());
    ASSERT_EQ(reader.state(), State::kReady) << size;
    reader.next();
    feed_request(reader, rest, two.size());
    ASSERT_EQ(reader.state(), State::kReady) << size;
    EXPECT_EQ(reader.request().body, "next");
  }
}

TEST(RequestReader, chunked_bodies_arrive_whole) {
  const std::string body(100'000, 'x');
  for (const std::size_t step : {7, 1'000, 1'000'000}) {
    ByteBudget budget;
    RequestReader reader(HttpLimits{}, budget);
    const std::string two = post_chunked(body) + post("next");
    const std::string_view rest = feed_request(reader, two, step);
    ASSERT_EQ(reader.state(), State::kReady) << step;
    EXPECT_EQ(reader.request().body, body);
    EXPECT_EQ(reader.request().path, "/p");
    reader.next();
    feed_request(reader, rest, step);
    EXPECT_EQ(reader.request().body, "next");
  }
}

TEST(RequestReader, takes_what_comes_ahead_without_moving_the_request) {
  ByteBudget budget;
  RequestReader reader(HttpLimits{}, budget);
  EXPECT_TRUE(reader.space_ahead().empty());
  for (int i = 0; i < 1000; ++i) {
    const std::string body = "number " + std::to_string(i);
    feed_request(reader, post(body), 1000);
    ASSERT_EQ(reader.state(), State::kReady);
    const HttpRequest request = reader.request();
    const std::string ahead = post("ahead");
    const std::span<char> space = reader.space_ahead();
    const bool taken = space.size() >= ahead.size();
    if (taken) {
      std::copy(ahead.begin(), ahead.end(), space.begin());
      reader.add(ahead.size());
    }
    EXPECT_EQ(request.body, body);
    reader.next();
    if (taken) {
      ASSERT_EQ(reader.parse(), State::kReady);
      EXPECT_EQ(reader.request().body, "ahead");
      reader.next();
    }
  }
}

TEST(RequestReader, head_that_is_refused_says_why) {
  ByteBudget budget;
  RequestReader reader(HttpLimits{.body = 10}, budget);
  feed(reader, post("more than ten bytes"));
  EXPECT_EQ(reader.parse(), State::kRefused);
  EXPECT_EQ(reader.error().code(), ErrorCode::kTooLarge);
  reader.discard();
  EXPECT_FALSE(reader.has_more());
  EXPECT_FALSE(reader.space().empty());
}

TEST(RequestReader, chunked_body_over_the_limit_is_refused) {
  ByteBudget budget;
  RequestReader reader(HttpLimits{.body = 99'999}, budget);
  feed_request(reader, post_chunked(std::string(100'000, 'x')), 1000);
  EXPECT_EQ(reader.parse(), State::kRefused);
}

TEST(RequestReader, body_that_is_not_small_takes_its_bytes_and_gives_them_back) {
  for (const bool chunked : {false, true}) {
    ByteBudget budget(1'000'000);
    RequestReader reader(HttpLimits{}, budget);
    const std::string body(100'000, 'x');
    feed_request(reader, chunked ? post_chunked(body) : post(body), 10'000);
    EXPECT_EQ(reader.state(), State::kReady);
    EXPECT_GE(budget.held(), body.size());
    EXPECT_EQ(reader.request().body, body);
    reader.next();
    EXPECT_EQ(budget.held(), 0U);
    feed_request(reader, post(std::string(60'000, 'x')), 10'000);
    EXPECT_EQ(reader.state(), State::kReady);
    EXPECT_EQ(budget.held(), 0U);
  }
}

TEST(RequestReader, body_without_room_is_refused_before_it_is_read) {
  for (const bool chunked : {false, true}) {
    ByteBudget budget(100'000);
    ASSERT_TRUE(budget.try_take(30'000));
    RequestReader reader(HttpLimits{}, budget);
    const std::string body(100'000, 'x');
    const std::string bytes = chunked ? post_chunked(body) : post(body);
    const auto left = feed_request(reader, bytes, 1000);
    ASSERT_EQ(reader.state(), State::kRefused);
    EXPECT_EQ(reader.error().code(), ErrorCode::kOverloaded);
    EXPECT_NE(reader.error().message().find("holds too many bytes"), std::string::npos);
    EXPECT_GT(left.size(), chunked ? 30'000U : 98'000U);
    reader.discard();
    EXPECT_EQ(budget.held(), 30'000U);
    feed_request(reader, post("small"), 1000);
    EXPECT_EQ(reader.state(), State::kReady);
  }
}

TEST(RequestReader, reader_that_goes_gives_its_bytes_back) {
  ByteBudget budget;
  {
    RequestReader reader(HttpLimits{}, budget);
    feed_request(reader, post(std::string(200'000, 'x')).substr(0, 90'000), 10'000);
    EXPECT_EQ(budget.held(), 200'000U);
  }
  EXPECT_EQ(budget.held(), 0U);
}

}  // namespace
}  // namespace maas
