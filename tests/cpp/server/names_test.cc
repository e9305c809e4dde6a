// SPDX-License-Identifier: Apache-2.0
#include "maas/server/names.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Names, model_names_are_letters_digits_dot_dash_and_underscore) {
  for (const std::string_view good : {"a", "7", "digits", "bert-base_v1.2", "A.b"}) {
    EXPECT_TRUE(is_model_name(good)) << good;
  }
  EXPECT_TRUE(is_model_name(std::string(128, 'a')));
  for (const std::string_view bad :
       {"", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "a'--", "a\"", "../etc", "\xD0\xB0"}) {
    EXPECT_FALSE(is_model_name(bad)) << bad;
  }
  EXPECT_FALSE(is_model_name(std::string(129, 'a')));
}

TEST(Names, versions_are_positive_decimal_numbers) {
  EXPECT_EQ(parse_version("1"), 1);
  EXPECT_EQ(parse_version("123456789"), 123456789);
  for (const std::string_view bad :
       {"", "0", "01", "-1", "+1", "1e3", "1.0", " 1", "1 ", "12345678901234567890", "x"}) {
    EXPECT_EQ(parse_version(bad), std::nullopt) << bad;
  }
}

TEST(Names, what_is_shown_is_printable_and_bounded) {
  EXPECT_EQ(in_quotes("digits"), "'digits'");
  EXPECT_EQ(in_quotes("a\r\nb\x01\xC3\xA9"),
            "'a?"
            "?b?"
            "?"
            "?'");
  EXPECT_EQ(in_quotes(std::string(70, 'x')), "'" + std::string(64, 'x') + "...'");
}

TEST(Names, percent_signs_are_decoded_or_refused) {
  EXPECT_EQ(percent_decode("/a%2Fb%20c"), "/a/b c");
  EXPECT_EQ(percent_decode("/plain"), "/plain");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  for (const std::string_view bad : {"%", "%1", "%zz", "a%2", "%-1", "%+1", "% 1"}) {
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace maas
