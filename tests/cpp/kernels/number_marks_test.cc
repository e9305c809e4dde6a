// SPDX-License-Identifier: Apache-2.0
#include "maas/kernels/number_marks.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

namespace maas::kernels {
namespace {

std::uint64_t bit_if(bool is_set, std::size_t at) {
  return std::uint64_t{is_set ? 1U : 0U} << at;
}

Kinds kinds_of(std::string_view text) {
  Kinds is = {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    is.digit |= bit_if(text[i] >= '0' && text[i] <= '9', i);
    is.zero |= bit_if(text[i] == '0', i);
    is.comma |= bit_if(text[i] == ',', i);
    is.close |= bit_if(text[i] == ']', i);
    is.dot |= bit_if(text[i] == '.', i);
    is.minus |= bit_if(text[i] == '-', i);
    is.space |= bit_if(text[i] == ' ', i);
  }
  return is;
}

// The place before which all is right; the text's length when all of it is.
template <bool kDots>
int first_wrong(std::string_view text) {
  const auto wrong = std::countr_zero(mark_numbers<kDots>(kinds_of(text)).wrong);
  return std::min(wrong, static_cast<int>(text.size()));
}

TEST(NumberMarks, first_digits_signs_and_ends_are_found) {
  const Marks marks = mark_numbers<true>(kinds_of("-1.5, 20,-0]"));
  EXPECT_EQ(marks.first, 1U << 1 | 1U << 6 | 1U << 10);
  EXPECT_EQ(marks.minus, 1U | 1U << 9);
  EXPECT_EQ(marks.end, 1U << 4 | 1U << 8 | 1U << 11);
}

TEST(NumberMarks, plain_lists_have_nothing_wrong) {
  for (const std::string_view text : {"1]", "-1.5, 20,-0.25]", "0,0.0,10,-10.01]", "1,2,3,"}) {
    EXPECT_EQ(first_wrong<true>(text), static_cast<int>(text.size())) << text;
  }
}

TEST(NumberMarks, errors_are_marked_no_later_than_the_end_of_their_number) {
  for (const std::string_view wrong : {"01]", "-01]", "1.]", ".5]", "-]", "--1]", "+1]", "1e5]",
                                       "1 ]", "]", ",1]", "x]", "1-2]"}) {
    EXPECT_LT(first_wrong<true>(wrong), static_cast<int>(wrong.size())) << wrong;
  }
  EXPECT_EQ(first_wrong<true>("1,  2]"), 3);
  EXPECT_EQ(first_wrong<false>("1,2.5]"), 3);
}

}  // namespace
}  // namespace maas::kernels
