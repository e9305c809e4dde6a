// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

std::string printed(const std::vector<float>& values) {
  const Fenced out(values.size() * kMaxFloat32Chars + kPrintSlack);
  const PrintResult result = scalar().print_float32(values.data(), values.size(), out.begin());
  EXPECT_EQ(result.count, values.size());
  return {out.begin(), result.stop};
}

std::string printed(const std::vector<std::int64_t>& values) {
  const Fenced out(values.size() * kMaxInt64Chars + kPrintSlack);
  const PrintResult result = scalar().print_int64(values.data(), values.size(), out.begin());
  EXPECT_EQ(result.count, values.size());
  return {out.begin(), result.stop};
}

// The significant digits of a number, without zeros at either end.
std::string digits_of(std::string text) {
  text.resize(std::min(text.find('e'), text.size()));
  std::erase_if(text, [](char c) { return c == '-' || c == '.'; });
  text.erase(0, text.find_first_not_of('0'));
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

// Reads back to the same bits, with the digits of the C++ library's shortest form.
void expect_shortest(float value) {
  const std::string text = printed(std::vector<float>{value});
  ASSERT_LT(text.size(), kMaxFloat32Chars);
  float back = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), back);
  ASSERT_EQ(stop, text.data() + text.size()) << text;
  ASSERT_EQ(std::bit_cast<std::uint32_t>(back), std::bit_cast<std::uint32_t>(value)) << text;
  std::array<char, 32> library;
  char* const end = std::to_chars(library.data(), library.data() + library.size(), value,
                                  std::chars_format::scientific)
                        .ptr;
  ASSERT_EQ(digits_of(text), digits_of(std::string(library.data(), end)));
}

TEST(ScalarPrint, floats_look_as_documented) {
  const std::vector<std::pair<float, std::string>> cases = {
      {0.0F, "0.0"},
      {-0.0F, "-0.0"},
      {3.0F, "3.0"},
      {-3.5F, "-3.5"},
      {0.1F, "0.1"},
      {100.0F, "100.0"},
      {123456789.0F, "123456790.0"},
      {16777216.0F, "16777216.0"},
      {1e8F, "100000000.0"},
      {1e9F, "1e9"},
      {1.5e9F, "1.5e9"},
      {1e-4F, "0.0001"},
      {1e-5F, "1e-5"},
      {1.25e-7F, "1.25e-7"},
      {0.00012345679F, "0.00012345679"},
      {0.33333334F, "0.33333334"},
      {9.999999F, "9.999999"},
      {3.4028235e38F, "3.4028235e38"},
      {-1.17549435e-38F, "-1.1754944e-38"},
      {1e-45F, "1e-45"},
  };
  for (const auto& [value, text] : cases) {
    EXPECT_EQ(printed(std::vector<float>{value}), text);
  }
}

TEST(ScalarPrint, numbers_have_one_comma_between) {
  EXPECT_EQ(printed(std::vector<float>{1, 2.5, -0.25}), "1.0,2.5,-0.25");
  EXPECT_EQ(printed(std::vector<std::int64_t>{1, -2, 30}), "1,-2,30");
  EXPECT_EQ(printed(std::vector<float>{}), "");
}

TEST(ScalarPrint, a_number_that_is_not_finite_is_named_by_its_place) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float wrong : {kInf, -kInf, std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> values = {1, 2, wrong, 4};
    std::vector<char> out(values.size() * kMaxFloat32Chars + kPrintSlack);
    EXPECT_EQ(scalar().print_float32(values.data(), values.size(), out.data()).count, 2U);
  }
}

TEST(ScalarPrint, random_floats_have_the_fewest_digits_and_come_back) {
  std::mt19937 random(1);
  for (int i = 0; i < 1000000 && !HasFatalFailure(); ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value) && value != 0) {
      expect_shortest(value);
    }
  }
}

TEST(ScalarPrint, powers_of_two_and_ten_and_their_neighbours_come_back) {
  for (int exponent = -149; exponent < 128; ++exponent) {
    const float value = std::ldexp(1.0F, exponent);
    expect_shortest(value);
    expect_shortest(std::nextafter(value, std::numeric_limits<float>::max()));
    expect_shortest(-std::nextafter(value, 1e-44F));
  }
  for (int exponent = -44; exponent <= 38; ++exponent) {
    const float value = static_cast<float>(std::pow(10.0, exponent));
    expect_shortest(value);
    expect_shortest(std::nextafter(value, 0.0F));
  }
}

TEST(ScalarPrint, integers_print_as_the_library_prints_them) {
  std::mt19937_64 random(2);
  std::vector<std::int64_t> values = {0, std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max()};
  for (int i = 0; i < 300000; ++i) {
    values.push_back(static_cast<std::int64_t>(random()) >> (random() % 64));
  }
  for (std::int64_t power = 10; power < 1000000000000000000; power *= 10) {
    values.insert(values.end(), {power, power - 1, -power, 1 - power});
  }
  for (const std::int64_t value : values) {
    ASSERT_EQ(printed(std::vector<std::int64_t>{value}), std::to_string(value));
  }
}

}  // namespace
}  // namespace maas::kernels::testing
