// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::HasSubstr;

bool accepts(std::string_view text) {
  try {
    JsonReader json(text);
    json.skip();
    json.finish();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_LT(error.message().size(), 200U);
    return false;
  }
}

std::string problem(std::string_view text) {
  try {
    JsonReader json(text);
    json.skip();
    json.finish();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

std::string read_string(std::string_view text) {
  JsonReader json(text);
  std::string value(json.string());
  json.finish();
  return value;
}

TEST(JsonReader, well_formed_texts_are_accepted) {
  for (const std::string_view text :
       {"{}", "[]", "[[]   ]", " 1 ", "-0", "-0.0e-0", "1E+2", "123.456e78", "true", "false",
        "null", R"("")", R"({"a":[1,{"b":null}],"":"x"})", "[1,\n2\t,\r3 ]",
        R"(["\u0000","\/","\""])", "[\"\xF0\x9F\x98\x80\xC3\xA9\"]", R"(["\uD83D\uDE00"])",
        R"({"a":1,"a":2})"}) {
    EXPECT_TRUE(accepts(text)) << text;
  }
}

constexpr std::string_view kMalformed[] = {"",
                                           " ",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           "[1",
                                           "[1,",
                                           "[1,]",
                                           "[,1]",
                                           "[1 2]",
                                           "[1]]",
                                           "[1}",
                                           "{]",
                                           "{1:2}",
                                           "{\"a\"}",
                                           "{\"a\":}",
                                           "{\"a\":1,}",
                                           "{,}",
                                           "{\"a\" 1}",
                                           "{a:1}",
                                           "{'a':1}",
                                           "01",
                                           "+1",
                                           ".5",
                                           "1.",
                                           "1e",
                                           "1e+",
                                           "-",
                                           "--1",
                                           "0x1",
                                           "1_0",
                                           "NaN",
                                           "Infinity",
                                           "-Infinity",
                                           "nul",
                                           "nulll",
                                           "True",
                                           "tru",
                                           "falsee",
                                           "\"",
                                           "\"\\\"",
                                           "\"\\x\"",
                                           "\"\\u12\"",
                                           "\"\\u12g4\"",
                                           "\"\\u-123\"",
                                           "\"\t\"",
                                           "\"\n\"",
                                           "1 1",
                                           "[1]x",
                                           "// c\n1",
                                           "[1]/**/",
                                           "'a'",
                                           "\xEF\xBB\xBF[]",
                                           "\"\xFF\"",
                                           "\"\xC0\xAF\"",
                                           "\"\xED\xA0\x80\"",
                                           R"("\uD83D")",
                                           R"("\uD83Dx")",
                                           R"("\uD83D\u0041")",
                                           R"("\uDE00")",
                                           "[\"a\",\x01]"};

TEST(JsonReader, malformed_texts_are_refused) {
  for (const std::string_view text : kMalformed) {
    EXPECT_FALSE(accepts(text)) << testing::PrintToString(text);
  }
  EXPECT_FALSE(accepts(std::string_view("[1]\0", 4)));
  EXPECT_FALSE(accepts(std::string_view("\"\\\0\"", 4)));
  EXPECT_FALSE(accepts(std::string_view("[\0]", 3)));
}

TEST(JsonReader, every_prefix_of_a_text_is_refused) {
  const std::string text = R"({"a\n\u00e9":[1.5e3,true,null,"\uD83D\uDE00 long enough string"]})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read behind its end.
    EXPECT_FALSE(accepts(std::string(text, 0, size))) << size;
  }
  EXPECT_TRUE(accepts(text));
}

TEST(JsonReader, a_hundred_levels_are_accepted_and_one_more_is_not) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(accepts(nested(100)));
  EXPECT_FALSE(accepts(nested(101)));
  EXPECT_THAT(problem(std::string(1000000, '[')), HasSubstr("100 levels of nesting at offset 100"));
  std::string objects;
  for (int i = 0; i < 1000; ++i) {
    objects += R"({"":)";
  }
  EXPECT_FALSE(accepts(objects));
}

TEST(JsonReader, errors_name_the_offset) {
  EXPECT_EQ(problem(R"({"a":1 "b":2})"),
            "the body is not valid JSON: ',' or '}' is missing at offset 7");
  EXPECT_THAT(problem(""), HasSubstr("ends where a value should be at offset 0"));
}

TEST(JsonReader, strings_are_decoded) {
  EXPECT_EQ(read_string(R"("plain, and longer than eight")"), "plain, and longer than eight");
  EXPECT_EQ(read_string(R"("a\"\\\/\b\f\n\r\t\u0041")"), "a\"\\/\b\f\n\r\tA");
  EXPECT_EQ(read_string(R"("\u00e9\u20AC\uD83D\uDE00")"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(read_string("\"\\u0000\""), std::string(1, '\0'));
}

TEST(JsonReader, special_bytes_are_found_at_every_place_of_a_word) {
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string padding(before, 'x');
    const auto padded = [&](std::string_view bytes) {
      return std::string(padding).append(bytes).append(padding);
    };
    const auto quoted = [&](std::string_view bytes) {
      return std::string(1, '"').append(padded(bytes)).append(1, '"');
    };
    EXPECT_EQ(read_string(quoted("\\n")), padded("\n"));
    EXPECT_EQ(read_string(quoted("\xC3\xA9")), padded("\xC3\xA9"));
    EXPECT_FALSE(accepts(quoted("\x1F")));
    EXPECT_FALSE(accepts(quoted("\xE9")));
    EXPECT_TRUE(accepts(quoted("\x7F")));
  }
}

TEST(JsonReader, members_are_pulled_one_by_one) {
  JsonReader json(R"( { "a" : [ 1 , [ ] , "x" ] , "b\u0062" : true , "c":{} } )");
  json.begin_object();
  EXPECT_EQ(json.next_key(), "a");
  EXPECT_EQ(json.type(), JsonType::kArray);
  json.begin_array();
  ASSERT_TRUE(json.next_item());
  EXPECT_EQ(json.integer(), 1);
  ASSERT_TRUE(json.next_item());
  EXPECT_EQ(json.skip(), "[ ]");
  ASSERT_TRUE(json.next_item());
  EXPECT_EQ(json.string(), "x");
  EXPECT_FALSE(json.next_item());
  EXPECT_EQ(json.next_key(), "bb");
  EXPECT_TRUE(json.boolean());
  EXPECT_EQ(json.next_key(), "c");
  EXPECT_EQ(json.skip(), "{}");
  EXPECT_EQ(json.next_key(), std::nullopt);
  json.finish();
}

TEST(JsonReader, integers_that_do_not_fit_are_nothing) {
  const auto integer = [](std::string_view text) {
    JsonReader json(text);
    const auto value = json.integer();
    json.finish();
    return value;
  };
  EXPECT_EQ(integer("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(integer("2.5"), std::nullopt);
  EXPECT_EQ(integer("1e2"), std::nullopt);
  EXPECT_EQ(integer("-0"), 0);
}

TEST(JsonReader, what_was_asked_for_must_come) {
  EXPECT_THROW(JsonReader("[1]").begin_object(), Error);
  EXPECT_THROW(JsonReader("{}").begin_array(), Error);
  EXPECT_THROW(JsonReader("1").string(), Error);
  EXPECT_THROW(JsonReader("\"1\"").integer(), Error);
  EXPECT_THROW(JsonReader("1").boolean(), Error);
}

TEST(JsonReader, it_comes_back_to_a_mark) {
  JsonReader json("[[1,2],3]");
  json.begin_array();
  ASSERT_TRUE(json.next_item());
  const JsonReader::Mark mark = json.mark();
  json.begin_array();
  ASSERT_TRUE(json.next_item());
  json.rewind(mark);
  EXPECT_EQ(json.skip(), "[1,2]");
  ASSERT_TRUE(json.next_item());
  EXPECT_EQ(json.integer(), 3);
  EXPECT_FALSE(json.next_item());
}

}  // namespace
}  // namespace maas
