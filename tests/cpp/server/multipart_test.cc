// SPDX-License-Identifier: Apache-2.0
#include "maas/server/multipart.h"

#include <ctime>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::HasSubstr;

// A part with these fields and this content, between boundaries "B".
std::string body(const std::string& fields, const std::string& data) {
  return "--B\r\n" + fields + "\r\n\r\n" + data + "\r\n--B--\r\n";
}

std::string named() {
  return "Content-Disposition: form-data; name=\"x\"";
}

std::string refusal(const std::string& text, const std::string& boundary = "B") {
  try {
    parse_multipart(text, boundary);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

TEST(Multipart, parts_are_views_into_the_body) {
  const std::string text =
      "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nhello\r\n"
      "--B \t\r\ncontent-type: image/png \r\nCONTENT-DISPOSITION: form-data; name=y; "
      "filename=\"a b.png\"\r\n\r\n\x89PNG\r\n--A\r\n\r\n--B--";
  const auto parts = parse_multipart(text, "B");
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].name, "x");
  EXPECT_EQ(parts[0].data, "hello");
  EXPECT_FALSE(parts[0].is_file);
  EXPECT_EQ(parts[1].name, "y");
  EXPECT_EQ(parts[1].filename, "a b.png");
  EXPECT_EQ(parts[1].content_type, "image/png");
  EXPECT_TRUE(parts[1].is_file);
  EXPECT_EQ(parts[1].data, "\x89PNG\r\n--A\r\n");
  EXPECT_GE(parts[1].data.data(), text.data());
  EXPECT_LT(parts[1].data.data(), text.data() + text.size());
}

TEST(Multipart, empty_contents_and_empty_forms_are_read) {
  EXPECT_EQ(parse_multipart(body(named(), ""), "B").at(0).data, "");
  EXPECT_TRUE(parse_multipart("--B--\r\n", "B").empty());
  EXPECT_TRUE(parse_multipart(body(named() + "; filename=\"\"", ""), "B").at(0).is_file);
}

TEST(Multipart, names_may_be_any_utf8) {
  const std::string fields = "Content-Disposition: form-data; name=\"\xC3\xA9 \\\"q\\\"\"";
  EXPECT_EQ(parse_multipart(body(fields, "1"), "B").at(0).name, "\xC3\xA9 \"q\"");
  EXPECT_THAT(refusal(body("Content-Disposition: form-data; name=\"\xFF\"", "1")),
              HasSubstr("not UTF-8"));
}

TEST(Multipart, what_stands_around_the_parts_is_refused) {
  EXPECT_THAT(refusal("preamble\r\n" + body(named(), "1")), HasSubstr("does not begin"));
  EXPECT_THAT(refusal(body(named(), "1") + "epilogue"), HasSubstr("behind the last boundary"));
  EXPECT_THAT(refusal(body(named(), "1"), "C"), HasSubstr("does not begin"));
  refusal("");
}

TEST(Multipart, a_body_that_is_cut_short_is_refused_wherever_it_ends) {
  const std::string whole = body(named(), "data");
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    refusal(whole.substr(0, size));
  }
}

TEST(Multipart, fields_of_a_part_are_strict) {
  EXPECT_THAT(refusal(body("Content-Type: text/plain", "1")), HasSubstr("no Content-Disposition"));
  EXPECT_THAT(refusal(body(named() + "\r\n" + named(), "1")), HasSubstr("two"));
  EXPECT_THAT(refusal(body("Content-Disposition: attachment; name=x", "1")),
              HasSubstr("form-data"));
  EXPECT_THAT(refusal(body("Content-Disposition: form-data", "1")), HasSubstr("no name"));
  EXPECT_THAT(refusal(body(named() + "\r\nContent-Transfer-Encoding: base64", "1")),
              HasSubstr("encoded"));
  for (const char* line :
       {"no colon", ": no name", "na me: 1", "a: \x01", "a: b\nc: d", " folded"}) {
    EXPECT_THAT(refusal(body(named() + "\r\n" + line, "1")), HasSubstr("Name: value")) << line;
  }
}

TEST(Multipart, a_boundary_inside_a_line_is_refused) {
  EXPECT_THAT(refusal(body(named(), "1\r\n--Bee")), HasSubstr("neither"));
  EXPECT_THAT(refusal("--B\n" + named() + "\n\n1\n--B--"), HasSubstr("neither"));
}

TEST(Multipart, parts_and_their_fields_are_bounded) {
  std::string many = "--B";
  for (std::size_t i = 0; i <= kMaxFormParts; ++i) {
    many += "\r\n" + named() + "\r\n\r\n1\r\n--B";
  }
  EXPECT_THAT(refusal(many + "--"), HasSubstr("more than 1000 parts"));
  EXPECT_THAT(refusal(body(named() + "\r\nx: " + std::string(kMaxPartHead, 'y'), "1")),
              HasSubstr("more than 8192 bytes"));
}

TEST(Multipart, hostile_forms_are_refused_within_50_ms) {
  const std::string boundary(70, '-');
  std::string many;
  for (int i = 0; i < 10'000; ++i) {
    many += "--" + boundary + "\r\n" + named() + "\r\n\r\n1\r\n";
  }
  for (const std::string& text :
       {std::string(100'000, '-'), "--" + boundary + std::string(100'000, '-'),
        "--" + boundary + "\r\n" + named() + "\r\n\r\n" + std::string(1'000'000, '-'), many}) {
    const std::clock_t start = std::clock();
    EXPECT_NE(refusal(text, boundary), "");
    EXPECT_LT(std::clock() - start, CLOCKS_PER_SEC / 20) << text.size();
  }
}

TEST(Multipart, a_damaged_body_is_read_or_refused) {
  const std::string whole =
      body(named() + "; filename=\"f\"\r\nContent-Type: a/b", "data\r\n-") + body(named(), "more");
  const std::string bytes = "\r\n-B:;=\"\\ xa\x01\xC3\xFF";
  std::minstd_rand random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string text = whole;
    for (int change = 0; change <= i % 4; ++change) {
      text[random() % text.size()] = bytes[random() % bytes.size()];
      text.erase(random() % text.size(), random() % 3);
    }
    try {
      parse_multipart(text, "B");
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    }
  }
}

TEST(Multipart, boundaries_have_one_to_seventy_characters) {
  EXPECT_TRUE(is_boundary("----WebKitFormBoundary7MA4YWxkTrZu0gW"));
  EXPECT_TRUE(is_boundary(std::string(70, 'x')));
  EXPECT_FALSE(is_boundary(std::string(71, 'x')));
  for (const char* text : {"", "a ", "a\"b", "a\r\n", "\xC3\xA9"}) {
    EXPECT_FALSE(is_boundary(text)) << text;
  }
}

}  // namespace
}  // namespace maas
