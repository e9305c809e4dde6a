// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

constexpr std::size_t kCapacity = 16;

template <typename Number>
struct Parsed {
  std::vector<Number> numbers;
  std::size_t stop;
  ParseError error;
};

Parsed<float> floats(std::string_view text, std::size_t capacity = kCapacity) {
  std::vector<float> out(capacity);
  const Fenced memory(text);
  const auto [stop, count, error] =
      scalar().parse_float32(memory.begin(), memory.end(), out.data(), capacity);
  out.resize(count);
  return {out, static_cast<std::size_t>(stop - memory.begin()), error};
}

Parsed<std::int64_t> integers(std::string_view text, std::size_t capacity = kCapacity) {
  std::vector<std::int64_t> out(capacity);
  const Fenced memory(text);
  const auto [stop, count, error] =
      scalar().parse_int64(memory.begin(), memory.end(), out.data(), capacity);
  out.resize(count);
  return {out, static_cast<std::size_t>(stop - memory.begin()), error};
}

void expect_rounds_like_strtof(const std::string& text) {
  const auto parsed = floats(text);
  const float expected = std::strtof(text.c_str(), nullptr);
  if (std::isinf(expected)) {
    ASSERT_EQ(parsed.error, ParseError::kOutOfRange) << text;
    return;
  }
  ASSERT_EQ(parsed.error, ParseError::kNone) << text;
  ASSERT_EQ(parsed.stop, text.size()) << text;
  ASSERT_EQ(std::bit_cast<std::uint32_t>(parsed.numbers.at(0)),
            std::bit_cast<std::uint32_t>(expected))
      << text;
}

std::string printed(const char* format, double value) {
  std::array<char, 400> text;
  const int size = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

float any_finite(std::mt19937& random) {
  for (;;) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) {
      return value;
    }
  }
}

TEST(ScalarParse, a_list_stops_at_its_bracket) {
  const auto parsed = floats(" 1 ,\t-2.5\n,\r3e2 ]x");
  EXPECT_EQ(parsed.numbers, (std::vector<float>{1, -2.5, 300}));
  EXPECT_EQ(parsed.error, ParseError::kNone);
  EXPECT_EQ(parsed.stop, 16U);
}

TEST(ScalarParse, nothing_is_no_numbers_and_no_error) {
  for (const std::string_view text : {"", "]", "  ]", "[1]", "x", "+1", ".5", "NaN", "Infinity"}) {
    const auto parsed = floats(text);
    EXPECT_TRUE(parsed.numbers.empty()) << text;
    EXPECT_EQ(parsed.error, ParseError::kNone) << text;
    EXPECT_EQ(parsed.stop, text.starts_with(' ') ? 2U : 0U) << text;
  }
}

TEST(ScalarParse, what_is_not_a_json_number_is_a_syntax_error_where_it_begins) {
  for (const std::string_view wrong :
       {"-", "01", "-01", "00", "1.", "1.]", "1.e5", "1e", "1e+", "1e-]", "1E", "-.5", "-]", "--1",
        "-x", "-Infinity", "-NaN", "1.x", "1ex"}) {
    const auto alone = floats(wrong);
    EXPECT_EQ(alone.error, ParseError::kSyntax) << wrong;
    EXPECT_EQ(alone.stop, 0U) << wrong;
    const auto third = floats("1, 2, " + std::string(wrong));
    EXPECT_EQ(third.error, ParseError::kSyntax) << wrong;
    EXPECT_EQ(third.numbers.size(), 2U) << wrong;
    EXPECT_EQ(third.stop, 6U) << wrong;
  }
}

TEST(ScalarParse, a_comma_without_a_number_behind_it_is_a_syntax_error) {
  for (const std::string_view wrong :
       {"1,]", "1,", "1, ", "1,,2", "1,[2]", "1,+2", "1,.5", "1,a"}) {
    EXPECT_EQ(floats(wrong).error, ParseError::kSyntax) << wrong;
    EXPECT_EQ(integers(wrong).error, ParseError::kSyntax) << wrong;
    EXPECT_EQ(floats(wrong, 1).error, ParseError::kSyntax) << wrong;
  }
}

TEST(ScalarParse, what_follows_a_number_is_left_to_the_caller) {
  for (const std::string_view text : {"1x", "1 2", "1]", "1[", "1\"", "1+", "0x10", "1_0"}) {
    const auto parsed = floats(text);
    EXPECT_EQ(parsed.error, ParseError::kNone) << text;
    EXPECT_EQ(parsed.numbers.size(), 1U) << text;
    EXPECT_LT(parsed.stop, text.size()) << text;
  }
}

TEST(ScalarParse, more_numbers_than_room_is_a_capacity_error) {
  const auto parsed = floats("1,2, 3]", 2);
  EXPECT_EQ(parsed.error, ParseError::kCapacity);
  EXPECT_EQ(parsed.numbers.size(), 2U);
  EXPECT_EQ(parsed.stop, 5U);
  EXPECT_EQ(floats("1,2]", 2).error, ParseError::kNone);
  EXPECT_EQ(floats("]", 0).error, ParseError::kNone);
  EXPECT_EQ(floats("1]", 0).error, ParseError::kCapacity);
}

TEST(ScalarParse, integers_are_exact_to_the_edges) {
  const auto parsed = integers("9223372036854775807,-9223372036854775808,0,-0,123456789012345678");
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(parsed.numbers, (std::vector<std::int64_t>{kMax, -kMax - 1, 0, 0, 123456789012345678}));
}

TEST(ScalarParse, integers_beyond_64_bits_are_out_of_range) {
  for (const std::string_view text :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "99999999999999999999", "-100000000000000000000000000"}) {
    EXPECT_EQ(integers(text).error, ParseError::kOutOfRange) << text;
  }
}

TEST(ScalarParse, a_fraction_or_an_exponent_is_no_integer) {
  for (const std::string_view text : {"2.5", "1e3", "1E3", "-2.0", "0.0"}) {
    EXPECT_EQ(integers(text).error, ParseError::kNotInteger) << text;
  }
}

TEST(ScalarParse, floats_beyond_their_range_are_an_error_above_and_a_zero_below) {
  for (const std::string_view text : {"1e39", "-1e39", "3.4028236e38", "1e999",
                                      "1e99999999999999999999", "123456789e40", "0.0000001e50"}) {
    EXPECT_EQ(floats(text).error, ParseError::kOutOfRange) << text;
  }
  for (const std::string_view text :
       {"1e-999", "1e-46", "0.000001e-50", "1e-99999999999999999999", "0e999", "0.0e-999"}) {
    EXPECT_EQ(floats(text).numbers, std::vector<float>{0.0F}) << text;
  }
  EXPECT_TRUE(std::signbit(floats("-1e-999").numbers.at(0)));
  EXPECT_TRUE(std::signbit(floats("-0").numbers.at(0)));
}

TEST(ScalarParse, a_thousand_digits_are_read_to_the_last) {
  const std::string half = "16777217." + std::string(1000, '0');
  EXPECT_EQ(floats(half).numbers, std::vector<float>{16777216});
  EXPECT_EQ(floats(half + "1").numbers, std::vector<float>{16777218});
  EXPECT_EQ(floats("0." + std::string(40, '0') + "1e41").numbers, std::vector<float>{1});
  EXPECT_EQ(floats(std::string(60, '1') + "e-59").numbers, std::vector<float>{1.1111112F});
}

TEST(ScalarParse, random_floats_round_as_strtof_rounds_them) {
  std::mt19937 random(1);
  for (int i = 0; i < 300000 && !HasFatalFailure(); ++i) {
    const float value = any_finite(random);
    expect_rounds_like_strtof(printed("%.9g", value));
    expect_rounds_like_strtof(printed("%.6g", value));
    expect_rounds_like_strtof(printed("%.17g", value * 1.0000001));
    expect_rounds_like_strtof(printed("%.5f", std::fmod(value, 1000)));
  }
}

TEST(ScalarParse, halfway_cases_and_their_neighbours_round_to_even) {
  std::mt19937 random(2);
  for (int i = 0; i < 50000 && !HasFatalFailure(); ++i) {
    const float value = any_finite(random);
    const float next = std::nextafter(value, 2 * value);
    const double middle = (static_cast<double>(value) + next) / 2;
    if (std::isfinite(middle)) {
      expect_rounds_like_strtof(printed("%.170g", middle));
      expect_rounds_like_strtof(printed("%.17g", middle));
      expect_rounds_like_strtof(printed("%.170g", std::nextafter(middle, 0.0)));
      expect_rounds_like_strtof(printed("%.170g", std::nextafter(middle, 2 * middle)));
    }
  }
}

TEST(ScalarParse, subnormal_floats_round_as_strtof_rounds_them) {
  std::mt19937 random(3);
  for (int i = 0; i < 50000 && !HasFatalFailure(); ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()) & 0x807FFFFF);
    expect_rounds_like_strtof(printed("%.9g", value));
    expect_rounds_like_strtof(printed("%.60f", value));
  }
}

TEST(ScalarParse, random_integers_come_back) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 300000; ++i) {
    const auto value = static_cast<std::int64_t>(random()) >> (random() % 64);
    const auto parsed = integers(std::to_string(value));
    ASSERT_EQ(parsed.numbers, std::vector<std::int64_t>{value});
  }
}

}  // namespace
}  // namespace maas::kernels::testing
