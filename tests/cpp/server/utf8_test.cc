// SPDX-License-Identifier: Apache-2.0
#include "maas/server/utf8.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Utf8, sequences_of_one_to_four_bytes_are_measured) {
  EXPECT_EQ(utf8_sequence("a"), 1U);
  EXPECT_EQ(utf8_sequence("\xC3\xA9x"), 2U);
  EXPECT_EQ(utf8_sequence("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_sequence("\xF0\x9F\x98\x80"), 4U);
  EXPECT_EQ(utf8_sequence("\xF4\x8F\xBF\xBF"), 4U);
}

TEST(Utf8, what_is_no_sequence_is_refused) {
  for (const std::string_view bad :
       {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xC1\x81", "\xE0\x80\xAF", "\xED\xA0\x80", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82(", ""}) {
    EXPECT_EQ(utf8_sequence(bad), 0U) << testing::PrintToString(bad);
  }
}

TEST(Utf8, a_text_is_checked_to_its_end) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("caf\xC3\xA9"));
  EXPECT_FALSE(is_utf8("caf\xC3"));
}

TEST(Utf8, every_code_point_that_is_appended_reads_back) {
  for (char32_t point = 1; point <= 0x10FFFF; point += point < 0x1000 ? 1 : 251) {
    if (point >= 0xD800 && point <= 0xDFFF) {
      continue;
    }
    std::string text;
    append_utf8(text, point);
    ASSERT_EQ(utf8_sequence(text), text.size()) << static_cast<unsigned>(point);
  }
}

}  // namespace
}  // namespace maas
