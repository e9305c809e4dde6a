// SPDX-License-Identifier: Apache-2.0
#include "maas/server/content_coding.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;

std::string compressed(std::string_view text, int format) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string inflated(std::string_view bytes, int format) {
  z_stream stream{};
  inflateInit2(&stream, format);
  std::string out(1U << 20U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

struct Request {
  explicit Request(std::string text, std::vector<Header> with)
      : body(std::move(text)), headers(std::move(with)) {
    http.body = body;
    http.headers = headers;
  }
  // The status that it is refused with; 200 when it is not.
  int decode(std::size_t max_bytes = 1U << 20U) {
    try {
      decode_body(http, max_bytes);
      return 200;
    } catch (const Error& error) {
      return error.http_status() != 0                      ? error.http_status()
             : error.code() == ErrorCode::kTooLarge        ? 413
             : error.code() == ErrorCode::kInvalidArgument ? 400
                                                           : 500;
    }
  }
  std::string body;
  std::vector<Header> headers;
  HttpRequest http;
};

TEST(ContentCoding, a_body_without_coding_is_left_alone) {
  Request plain("text", {{"Content-Encoding", "identity"}});
  EXPECT_EQ(plain.decode(), 200);
  EXPECT_EQ(plain.http.body.data(), plain.body.data());
  EXPECT_EQ(plain.http.memory, nullptr);
}

TEST(ContentCoding, gzip_and_deflate_are_inflated_to_the_last_byte) {
  for (const std::size_t size : {0U, 1U, 255U, 4096U, 1000000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text += static_cast<char>(i * i % 251);
    }
    for (const auto& [name, format] :
         {std::pair("gzip", kGzip), std::pair("X-GZip", kGzip), std::pair("deflate", kZlib)}) {
      Request request(compressed(text, format), {{"content-encoding", name}});
      EXPECT_EQ(request.decode(1000000), 200) << name << size;
      EXPECT_EQ(request.http.body, text);
    }
  }
}

TEST(ContentCoding, tensors_behind_the_json_are_aligned) {
  Request request(compressed(std::string(1000, 'x'), kGzip),
                  {{"Content-Encoding", "gzip"}, {"Inference-Header-Content-Length", "13"}});
  EXPECT_EQ(request.decode(), 200);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(request.http.body.data() + 13) % 64, 0U);
  EXPECT_NE(request.http.memory, nullptr);
}

TEST(ContentCoding, a_body_that_grows_beyond_the_limit_is_413) {
  const std::string bomb = compressed(std::string(64U << 20U, '\0'), kGzip);
  EXPECT_LT(bomb.size(), 100000U);
  EXPECT_EQ(Request(bomb, {{"Content-Encoding", "gzip"}}).decode(), 413);
  const std::string ten = compressed("0123456789", kGzip);
  EXPECT_EQ(Request(ten, {{"Content-Encoding", "gzip"}}).decode(10), 200);
  EXPECT_EQ(Request(ten, {{"Content-Encoding", "gzip"}}).decode(9), 413);
}

TEST(ContentCoding, what_is_cut_or_damaged_is_400) {
  const std::string whole = compressed("some text that is compressed", kGzip);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Request(whole.substr(0, size), {{"Content-Encoding", "gzip"}}).decode(), 400) << size;
  }
  EXPECT_EQ(Request(whole + "x", {{"Content-Encoding", "gzip"}}).decode(), 400);
  EXPECT_EQ(Request(whole, {{"Content-Encoding", "deflate"}}).decode(), 400);
  EXPECT_EQ(Request(compressed("a", kZlib) + "x", {{"Content-Encoding", "deflate"}}).decode(), 400);
  std::string damaged = whole;
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] + 1);  // the checksum
  EXPECT_EQ(Request(damaged, {{"Content-Encoding", "gzip"}}).decode(), 400);
}

TEST(ContentCoding, members_of_gzip_follow_one_another) {
  Request request(compressed("one,", kGzip) + compressed("two", kGzip),
                  {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(request.decode(), 200);
  EXPECT_EQ(request.http.body, "one,two");
}

TEST(ContentCoding, other_codings_and_several_are_415) {
  const std::string body = compressed("x", kGzip);
  for (const char* coding : {"br", "zstd", "gzip, gzip", "gzip,deflate", "identity, gzip", "*"}) {
    EXPECT_EQ(Request(body, {{"Content-Encoding", coding}}).decode(), 415) << coding;
  }
  EXPECT_EQ(Request(body, {{"Content-Encoding", "gzip"}, {"content-encoding", "gzip"}}).decode(),
            415);
}

HttpResponse answer(std::size_t size) {
  HttpResponse response;
  response.body.assign(size, 'x');
  response.tensors = {Tensor::zeros(DType::kFloat32, Shape{1000})};
  return response;
}

HttpResponse encoded(std::string_view accepted,
                     const CompressionPolicy& policy,
                     HttpResponse response) {
  const std::vector<Header> headers = {{"Accept-Encoding", accepted}};
  HttpRequest http;
  http.headers = headers;
  encode_body(http, policy, response);
  return response;
}

TEST(ContentCoding, an_answer_is_compressed_with_the_tensors_behind_it) {
  const std::string whole = std::string(100, 'x') + std::string(4000, '\0');
  for (const auto& [name, format] : {std::pair("gzip", kGzip), std::pair("deflate", kZlib)}) {
    const HttpResponse got = encoded(name, {}, answer(100));
    EXPECT_EQ(got.headers,
              "Content-Encoding: " + std::string(name) + "\r\nVary: Accept-Encoding\r\n");
    EXPECT_TRUE(got.tensors.empty());
    EXPECT_EQ(inflated(got.body, format), whole);
  }
}

TEST(ContentCoding, an_answer_stays_as_it_is_unless_policy_and_client_want_it) {
  const auto stays = [](std::string_view accepted, const CompressionPolicy& policy) {
    const HttpResponse got = encoded(accepted, policy, answer(100));
    return got.headers.empty() && got.body_size() == 4100;
  };
  EXPECT_TRUE(stays("", {Compression::kAlways}));
  EXPECT_TRUE(stays("br", {Compression::kAlways}));
  EXPECT_TRUE(stays("gzip, deflate, br", {Compression::kAsked}));
  EXPECT_FALSE(stays("gzip, deflate, br", {Compression::kAlways}));
  EXPECT_TRUE(stays("gzip", {Compression::kNever}));
  EXPECT_TRUE(stays("gzip", {Compression::kAsked, 4101}));
  EXPECT_FALSE(stays("gzip", {Compression::kAsked, 4100}));
}

TEST(ContentCoding, an_answer_that_would_not_be_shorter_stays_as_it_is) {
  HttpResponse noise;
  unsigned state = 1;
  for (int i = 0; i < 2000; ++i) {
    state = state * 1103515245U + 12345U;
    noise.body += static_cast<char>(state >> 16U);
  }
  const HttpResponse got = encoded("gzip", {}, noise);
  EXPECT_EQ(got.body, noise.body);
  EXPECT_TRUE(got.headers.empty());
}

}  // namespace
}  // namespace maas
