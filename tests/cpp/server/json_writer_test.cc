// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_writer.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "maas/server/json_reader.h"

namespace maas {
namespace {

TEST(JsonWriter, strings_are_quoted_and_escaped) {
  EXPECT_EQ(json_string("plain"), R"("plain")");
  EXPECT_EQ(json_string("a\"\\\n\r\t\x01/"), R"("a\"\\\n\r\t\u0001/")");
  EXPECT_EQ(json_string("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(json_string("\x7F"), R"("\u007f")");
}

TEST(JsonWriter, what_is_not_utf8_is_replaced) {
  EXPECT_EQ(json_string("a\xFFz\xC3"), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
}

TEST(JsonWriter, every_byte_reads_back_or_is_replaced) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'x', static_cast<char>(byte), 'y'};
    const std::string written = json_string(text);
    JsonReader json(written);
    EXPECT_EQ(json.string(), byte < 0x80 ? text : "x\xEF\xBF\xBDy") << byte;
    json.finish();
  }
}

TEST(JsonWriter, numbers_and_shapes_are_written_plainly) {
  std::string out = "x";
  append_json_number(out, INT64_MIN);
  EXPECT_EQ(out, "x-9223372036854775808");
  std::string shapes;
  append_json_shape(shapes, Shape{});
  append_json_shape(shapes, Shape{-1, 3});
  EXPECT_EQ(shapes, "[][-1,3]");
}

}  // namespace
}  // namespace maas
