// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "bench.h"
#include "json_parsers.h"

namespace {

constexpr std::size_t kCount = 150528;  // an image of 3 x 224 x 224

// `kCount` normally distributed numbers, each printed with `format`.
std::string normal_list(const char* format, const char* comma) {
  std::mt19937 random = same_random();
  std::normal_distribution<float> normal;
  std::string text;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::array<char, 64> number;
    const auto value = static_cast<double>(normal(random));
    const int size = std::snprintf(number.data(), number.size(), format, value);
    text.append(i == 0 ? "" : comma).append(number.data(), static_cast<std::size_t>(size));
  }
  return text + "]";
}

// As json.dumps(array.tolist()) prints float32: the shortest text of the double.
std::string python_list() {
  std::mt19937 random = same_random();
  std::normal_distribution<float> normal;
  std::string text;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::array<char, 32> number{};
    char* const begin = number.data();
    const auto value = static_cast<double>(normal(random));
    const char* const end = std::to_chars(begin, begin + number.size(), value).ptr;
    text.append(i == 0 ? "" : ", ").append(begin, static_cast<std::size_t>(end - begin));
  }
  return text + "]";
}

std::string integer_list(unsigned below) {
  std::mt19937 random = same_random();
  std::string text;
  for (std::size_t i = 0; i < kCount; ++i) {
    text.append(i == 0 ? "" : ", ").append(std::to_string(random() % below));
  }
  return text + "]";
}

// The loop that one writes with the C++ library.
template <typename Number>
void parse_with_library(const std::string& text, Number* out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end && *p != ']') {
    p = std::from_chars(p, end, *out++).ptr;
    while (p != end && (*p == ',' || *p == ' ')) {
      ++p;
    }
  }
}

void register_parsers(const std::string& name,
                      const std::string& list,
                      const std::shared_ptr<std::vector<float>>& out) {
  for (const JsonParser& parser : json_parsers(list)) {
    register_bench(name + "/" + parser.name, list.size(), [=] { parser.run(*out); });
  }
}

template <typename Number, typename Parse>
void register_list(const std::string& name, std::string list, Parse parse) {
  const auto text = std::make_shared<const std::string>(std::move(list));
  const auto out = std::make_shared<std::vector<Number>>(kCount);
  register_tables(name, text->size(), [=](const maas::kernels::Table& table) {
    const char* const begin = text->data();
    benchmark::DoNotOptimize((table.*parse)(begin, begin + text->size(), out->data(), kCount));
  });
  register_bench(name + "/from_chars", text->size(),
                 [=] { parse_with_library(*text, out->data()); });
  if constexpr (std::is_same_v<Number, float>) {
    register_parsers(name, *text, out);
  }
}

}  // namespace

void register_parse() {
  const auto floats = &maas::kernels::Table::parse_float32;
  const auto integers = &maas::kernels::Table::parse_int64;
  register_list<float>("parse_float32/as_python_prints", python_list(), floats);
  register_list<float>("parse_float32/5_decimals", normal_list("%.5f", ","), floats);
  register_list<float>("parse_float32/9_digits", normal_list("%.9g", ","), floats);
  register_list<float>("parse_float32/17_digits", normal_list("%.17g", ", "), floats);
  register_list<float>("parse_float32/exponents", normal_list("%.6e", ","), floats);
  register_list<float>("parse_float32/bytes", integer_list(256), floats);
  register_list<std::int64_t>("parse_int64/bytes", integer_list(256), integers);
  register_list<std::int64_t>("parse_int64/tokens", integer_list(50257), integers);
}
