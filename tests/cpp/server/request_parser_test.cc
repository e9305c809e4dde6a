// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_parser.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "maas/server/http_status.h"

namespace maas {
namespace {

// The status with which the request is refused; 0 when it is not.
int refusal(const std::string& text) {
  RequestParser parser(HttpLimits{});
  const std::size_t used = parser.parse_head(text);
  if (!parser.error() && parser.head_done() && parser.head().chunked) {
    ByteBuffer body;
    parser.parse_chunks(std::string_view(text).substr(used), body);
  }
  return parser.error() ? http_status(*parser.error()) : 0;
}

int refusal_of_field(const std::string& field) {
  return refusal("POST / HTTP/1.1\r\nHost: t\r\n" + field + "\r\n\r\n");
}

int refusal_of_chunks(const std::string& chunks) {
  return refusal("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
}

TEST(RequestParser, gives_the_parts_of_a_head) {
  const std::string text =
      "POST /a/b?c=d HTTP/1.1\r\nHost: t:80\r\nContent-Length: 010\r\nX-A:  b \t\r\n\r\nbody";
  RequestParser parser(HttpLimits{});
  EXPECT_EQ(parser.parse_head(text), text.size() - 4);
  ASSERT_TRUE(parser.head_done());
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.http.method, Method::kPost);
  EXPECT_EQ(head.http.path, "/a/b");
  EXPECT_EQ(head.http.query, "c=d");
  EXPECT_EQ(head.http.headers.size(), 3U);
  EXPECT_EQ(head.http.header("x-a"), "b");
  EXPECT_EQ(head.content_length, 10U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.http_1_0 || head.chunked || head.expects_continue);
}

TEST(RequestParser, is_used_again_for_the_next_request) {
  RequestParser parser(HttpLimits{});
  for (const std::string path : {"/first", "/second", "/third"}) {
    const std::string text = "GET " + path + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    EXPECT_EQ(parser.parse_head(text), text.size());
    EXPECT_EQ(parser.head().http.path, path);
    EXPECT_TRUE(parser.head().http_1_0 && parser.head().keep_alive);
    parser.reset();
    EXPECT_FALSE(parser.head_done());
  }
}

TEST(RequestParser, unfinished_head_is_no_error) {
  const std::string text = "GET /abc HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n";
  for (std::size_t n = 0; n < text.size(); ++n) {
    RequestParser parser(HttpLimits{});
    std::size_t used = parser.parse_head(std::string_view(text).substr(0, n));
    EXPECT_FALSE(parser.error()) << n;
    EXPECT_FALSE(parser.head_done()) << n;
    used += parser.parse_head(std::string_view(text).substr(used));
    EXPECT_TRUE(parser.head_done()) << n;
    EXPECT_EQ(parser.head().http.path, "/abc");
    EXPECT_EQ(used, text.size());
  }
}

TEST(RequestParser, one_empty_line_before_a_request_is_overlooked) {
  EXPECT_EQ(refusal("\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 0);
  EXPECT_EQ(refusal("\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n"), 400);
}

TEST(RequestParser, framing_that_two_servers_could_read_differently_is_refused) {
  const std::string chunked = "Transfer-Encoding: chunked";
  const std::vector<std::pair<std::string, int>> cases = {
      {"Content-Length: 5\r\n" + chunked, 400},
      {chunked + "\r\nContent-Length: 5", 400},
      {chunked + "\r\n" + chunked, 400},
      {"Transfer-Encoding: chunked, chunked", 400},
      {"Transfer-Encoding: chunked, deflate", 400},
      {"Transfer-Encoding: deflate, chunked", 501},
      {"Transfer-Encoding: identity", 501},
      {"Transfer-Encoding: ,chunked", 400},
      {"Transfer-Encoding: \x0b"
       "chunked",
       400},
      {"Transfer-Encoding:\r\nContent-Length: 5", 400},
      {"Transfer-Encoding : chunked", 400},
      {"Content-Length: 5\r\nContent-Length: 6", 400},
      {"Content-Length: 5\r\nContent-Length: 5", 400},
      {"Content-Length: 5, 5", 400},
      {"Content-Length:", 400},
      {"Content-Length: 9223372036854775808", 413},
      {"Content-Length: 18446744073709551616", 400},
      {"Content-Length: 67108865", 413},
      {"Content-Length: 67108864", 0},
      {chunked, 0},
  };
  for (const auto& [field, status] : cases) {
    EXPECT_EQ(refusal_of_field(field), status) << field;
  }
  for (const char* length : {"+5", "-5", "0x5", "5_0", "5.0", "1e1", "5 5", "5;", "1Z"}) {
    EXPECT_EQ(refusal_of_field(std::string("Content-Length: ") + length), 400) << length;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\n" + chunked + "\r\n\r\n"), 400);
}

TEST(RequestParser, malformed_heads_are_refused) {
  const std::string nul("A: b\0c", 6);
  for (const std::string& field :
       {std::string("A: b\r\n c"), std::string("A:\r\n\tc"), std::string("A: b\r\n \r\nB: c"),
        std::string("A b"), std::string(": b"), std::string("A[]: b"), std::string(" A: b"),
        std::string("A : b"), std::string("A: b\rc"), std::string("A: b\nB: c"),
        std::string("A: \x01"), std::string("A: \x7f"), std::string("\xc3\xa4: b"), nul,
        std::string("Host: t"), std::string("Content-Type: a\r\nContent-Type: b"),
        std::string("Authorization: a\r\nauthorization: b"), std::string("Connection: a b")}) {
    EXPECT_EQ(refusal_of_field(field), 400) << field;
  }
  EXPECT_EQ(refusal_of_field("A: \xc3\xa4"), 0);
  EXPECT_EQ(refusal_of_field("Expect: tea"), 417);
}

TEST(RequestParser, malformed_request_lines_are_refused) {
  const std::string rest = "\r\nHost: t\r\n\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET /", 400},
      {"GET  / HTTP/1.1", 400},
      {"GET\t/ HTTP/1.1", 400},
      {"GET /a b HTTP/1.1", 400},
      {"GET / HTTP/1.32", 400},
      {"GET / HTTP/ 1.1", 400},
      {"GET / http/1.1", 400},
      {"GET / HTTP/2.0", 505},
      {"PRI * HTTP/2.0", 505},
      {"G@T / HTTP/1.1", 400},
      {"GET x HTTP/1.1", 400},
      {"\x16\x03\x01\x02", 400},
      {"GET http://t/ HTTP/1.1", 0},
      {"FOO / HTTP/1.1", 0},
  };
  for (const auto& [line, status] : cases) {
    EXPECT_EQ(refusal(line + rest), status) << line;
  }
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: t\n\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), 0);
  for (const char* host : {"a b", "a/b", "user@a"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
}

TEST(RequestParser, too_much_is_refused_by_the_limit_it_breaks) {
  const std::string long_line(17'000, 'a');
  EXPECT_EQ(refusal("GET /" + long_line), 414);
  EXPECT_EQ(refusal("GET /" + long_line.substr(0, 8192) + " HTTP/1.1\r\nHost: t\r\n\r\n"), 414);
  EXPECT_EQ(refusal_of_field("A: " + long_line), 431);
  std::string fields = "A: b";
  for (int i = 2; i < 100; ++i) {
    fields += "\r\nA: b";
  }
  EXPECT_EQ(refusal_of_field(fields), 0);
  EXPECT_EQ(refusal_of_field(fields + "\r\nA: b"), 431);
}

TEST(RequestParser, puts_chunks_together) {
  RequestParser parser(HttpLimits{});
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunks = "3\r\nabc\r\n0A;x=\"y z\";w\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
  parser.parse_head(head);
  ByteBuffer body;
  EXPECT_EQ(parser.parse_chunks(chunks + "GET", body), chunks.size());
  EXPECT_TRUE(parser.chunks_done());
  EXPECT_EQ(body.view(), "abc0123456789");
}

TEST(RequestParser, malformed_chunks_are_refused) {
  for (const char* chunks :
       {"0x5\r\nabcde\r\n", "+5\r\nabcde\r\n", "-5\r\nabcde\r\n", " 5\r\nabcde\r\n",
        "5_0\r\nabcde\r\n", "G\r\n\r\n", "\r\n5\r\nabcde\r\n", "3\r\nabcX\r\n", "3\r\nabc\rX",
        "3\r\nabc\nX", "2;\r\nab\r\n", "2 x\r\nab\r\n", "2;a=\x01\r\nab\r\n",
        "11111111111111111\r\n", "0\r\nA[: b\r\n\r\n", "0\r\nA: b\r\n c\r\n\r\n"}) {
    EXPECT_EQ(refusal_of_chunks(chunks), 400) << chunks;
  }
  EXPECT_EQ(refusal_of_chunks("2;a=" + std::string(300, 'x') + "\r\n"), 400);
  EXPECT_EQ(refusal_of_chunks("2;a=" + std::string(2000, 'x')), 400);
  EXPECT_EQ(refusal_of_chunks("FFFFFFFFFFFFFFFF\r\n"), 413);
  // A line that is too long is refused as such whether or not its end has come.
  EXPECT_EQ(refusal_of_chunks("FFFFFFFFFFFFF)" + std::string(2000, 'x')), 400);
  EXPECT_EQ(refusal_of_chunks("FFFFFFFFFFFFF)" + std::string(2000, 'x') + "\r\n"), 400);
}

TEST(RequestParser, many_tiny_chunks_are_too_many) {
  std::string chunks;
  for (int i = 0; i < 70'000; ++i) {
    chunks += "1\r\na\r\n";
  }
  EXPECT_EQ(refusal_of_chunks(chunks), 413);
}

}  // namespace
}  // namespace maas
