// SPDX-License-Identifier: Apache-2.0
#include "maas/server/media_type.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(MediaType, is_taken_apart_into_essence_and_parameters) {
  const auto type = parse_media_type(R"( text/csv ; charset=utf-8;Header="a \"b\" c" ;)");
  ASSERT_TRUE(type);
  EXPECT_EQ(type->essence, "text/csv");
  ASSERT_NE(type->find("CHARSET"), nullptr);
  EXPECT_EQ(*type->find("charset"), "utf-8");
  EXPECT_EQ(*type->find("header"), R"(a "b" c)");
  EXPECT_EQ(type->find("boundary"), nullptr);
}

TEST(MediaType, single_backslashes_of_a_quoted_value_stay) {
  EXPECT_EQ(*parse_media_type(R"(form-data; filename="C:\new\a.png")")->find("filename"),
            R"(C:\new\a.png)");
}

TEST(MediaType, what_breaks_the_grammar_is_nothing) {
  for (const char* text : {"", " ", ";a=b", "a/b; c", "a/b; c=", "a/b; =d", "a/b c=d",
                           R"(a/b; c="d)", R"(a/b; c="d"e)", "a/b; c = d"}) {
    EXPECT_FALSE(parse_media_type(text)) << text;
  }
}

TEST(MediaType, essence_is_what_stands_before_the_parameters) {
  EXPECT_EQ(essence_of(" image/png ; q=1"), "image/png");
  EXPECT_EQ(essence_of("image/png"), "image/png");
  EXPECT_EQ(essence_of(" \t"), "");
  EXPECT_EQ(essence_of(";"), "");
}

TEST(MediaType, patterns_match_without_regard_to_case) {
  EXPECT_TRUE(media_matches("*/*", "anything"));
  EXPECT_TRUE(media_matches("image/*", "IMAGE/png"));
  EXPECT_TRUE(media_matches("text/csv", "Text/CSV"));
  EXPECT_FALSE(media_matches("image/*", "image/"));
  EXPECT_FALSE(media_matches("image/*", "imagery/png"));
  EXPECT_FALSE(media_matches("text/csv", "text/csv2"));
}

}  // namespace
}  // namespace maas
