// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "differential.h"
#include <gtest/gtest.h>

namespace maas::kernels::testing {
namespace {

constexpr int kTexts = 60000;

std::string random_digits(std::mt19937& random, unsigned most) {
  std::string digits(1 + random() % most, '0');
  for (char& digit : digits) {
    digit = static_cast<char>('0' + random() % 10);
  }
  return digits;
}

// A number in one of the styles that clients send.
std::string random_number(std::mt19937& random, unsigned style) {
  const std::string text = random() % 2 == 0 ? "-" : "";
  switch (style % 6) {
    case 0: return text + std::to_string(random() % 10) + "." + random_digits(random, 6);
    case 1: return text + std::to_string(random() % 256);
    case 2: return text + "0." + random_digits(random, 18);
    case 3: return text + std::to_string(random() % 100000) + "." + random_digits(random, 12);
    case 4: return text + std::to_string(random()) + std::to_string(random() % 100);
    default: return text + "1." + random_digits(random, 3) + "e-" + std::to_string(random() % 50);
  }
}

std::string random_list(std::mt19937& random) {
  const bool mixed = random() % 4 == 0;
  const unsigned style = static_cast<unsigned>(random());
  const unsigned count = static_cast<unsigned>(random() % (random() % 8 == 0 ? 200 : 20));
  const char* const comma = random() % 3 == 0 ? ", " : random() % 20 == 0 ? "  ,\n " : ",";
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    text += i == 0 ? "" : comma;
    text += random_number(random, mixed ? static_cast<unsigned>(random()) : style);
  }
  return text + (random() % 8 == 0 ? "" : "]");
}

// One character put in, taken out or replaced.
void damage(std::mt19937& random, std::string& text) {
  constexpr std::string_view kCharacters = "0123456789.,-+eE ]\n[x\"\0\x80\xff";
  const std::size_t at = random() % (text.size() + 1);
  const char other = kCharacters[random() % kCharacters.size()];
  switch (random() % 3) {
    case 0: text.insert(at, 1, other); break;
    case 1: text.erase(at, 1); break;
    default: text.replace(at, 1, 1, other); break;
  }
}

template <typename Number>
bool same_bits(Number a, Number b) {
  using Bytes = std::array<std::byte, sizeof(Number)>;
  return std::bit_cast<Bytes>(a) == std::bit_cast<Bytes>(b);
}

template <typename Number, typename Parse>
void expect_same_list(Parse Table::* parse,
                      const Table& table,
                      const Fenced& text,
                      std::size_t capacity) {
  std::vector<Number> expected(capacity);
  const Fenced actual(capacity * sizeof(Number));
  const ParseResult a = (scalar().*parse)(text.begin(), text.end(), expected.data(), capacity);
  const ParseResult b = (table.*parse)(text.begin(), text.end(), actual.as<Number>(), capacity);
  const std::string shown(text.begin(), text.end());
  ASSERT_EQ(a.count, b.count) << shown;
  ASSERT_EQ(a.error, b.error) << shown;
  ASSERT_EQ(a.stop - text.begin(), b.stop - text.begin()) << shown;
  const auto* const numbers = actual.as<Number>();
  ASSERT_TRUE(std::equal(numbers, numbers + a.count, expected.begin(), same_bits<Number>)) << shown;
}

// Any bits, and values such as models give.
float random_float(std::mt19937& random) {
  switch (random() % 4) {
    case 0: return std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    case 1: return static_cast<float>(random() % 1000) / 8;
    case 2: return std::ldexp(1.0F, static_cast<int>(random() % 60) - 30);
    default: return static_cast<float>(random()) / 4294967296.0F;
  }
}

void expect_same_parse_of(const Table& table, std::string_view text, std::size_t capacity) {
  const Fenced memory(text);
  expect_same_list<float>(&Table::parse_float32, table, memory, capacity);
  expect_same_list<std::int64_t>(&Table::parse_int64, table, memory, capacity);
}

// "1,1,1,"
std::string ones(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text.append("1,");
  }
  return text;
}

}  // namespace

void expect_same_parse(const Table& table) {
  std::mt19937 random(20);
  for (int i = 0; i < kTexts && !::testing::Test::HasFatalFailure(); ++i) {
    std::string text = random_list(random);
    if (random() % 3 == 0) {
      damage(random, text);
    }
    const auto commas = static_cast<std::size_t>(std::count(text.begin(), text.end(), ','));
    const std::size_t capacity = random() % 8 == 0 ? random() % (commas + 1) : commas + 1;
    expect_same_parse_of(table, text, capacity);
  }
}

void expect_same_errors(const Table& table) {
  for (const std::string_view wrong :
       {"01", "1.", ".5", "-", "1..2", "1.2.3", "+1", "1e", ",", "1 2"}) {
    for (std::size_t before = 0; before < 70; ++before) {
      const std::string text = ones(before).append(wrong);
      expect_same_parse_of(table, text, before + 3);
      expect_same_parse_of(table, std::string(" ").append(text).append(",8,9]"), before + 3);
    }
  }
}

void expect_same_anywhere(const Table& table, const std::string& number) {
  for (std::size_t before = 0; before < 32; ++before) {
    const std::string text = ones(before).append(number).append(",-").append(number);
    expect_same_parse_of(table, std::string(text).append("]"), before + 2);
  }
}

void expect_same_lengths(const Table& table) {
  const std::string digits = "1234567890123456789012345";
  for (std::size_t whole = 1; whole <= digits.size(); ++whole) {
    for (std::size_t decimals = 0; decimals <= digits.size(); decimals += 1 + decimals / 4) {
      std::string number = digits.substr(0, whole);
      number.append(decimals == 0 ? "" : ".").append(digits, 0, decimals);
      expect_same_anywhere(table, number);
    }
  }
}

// Decimals so near the middle between two floats that a double cannot tell on which side they are.
void expect_same_rounding(const Table& table) {
  std::mt19937 random(22);
  for (int i = 0; i < kTexts; ++i) {
    std::string text;
    for (int j = 0; j < 8; ++j) {
      const float value = std::ldexp(1 + static_cast<float>(random() % 8388608) / 8388608,
                                     static_cast<int>(random() % 36) - 8);
      const double middle = (static_cast<double>(value) + std::nextafter(value, 2 * value)) / 2;
      std::array<char, 64> number;
      const int decimals = value < 1 ? 18 : 18 - static_cast<int>(std::log10(value));
      std::snprintf(number.data(), number.size(), "%.*f",
                    static_cast<int>(random() % 19) % decimals, middle);
      text.append(number.data()).append(",");
      std::snprintf(number.data(), number.size(), "%.*f", decimals, middle);
      text.append(number.data()).append(",");
    }
    expect_same_parse_of(table, text.append("1]"), 17);
  }
}

void expect_same_print(const Table& table) {
  std::mt19937 random(21);
  for (int i = 0; i < kTexts; ++i) {
    const std::size_t n = random() % 40;
    const Fenced in(n * sizeof(float));
    for (std::size_t j = 0; j < n; ++j) {
      in.as<float>()[j] = random_float(random);
    }
    std::vector<char> expected(n * kMaxFloat32Chars + kPrintSlack);
    const Fenced actual(expected.size());
    const PrintResult a = scalar().print_float32(in.as<float>(), n, expected.data());
    const PrintResult b = table.print_float32(in.as<float>(), n, actual.begin());
    ASSERT_EQ(a.count, b.count);
    ASSERT_EQ(std::string(expected.data(), a.stop), std::string(actual.begin(), b.stop));
  }
}

}  // namespace maas::kernels::testing
