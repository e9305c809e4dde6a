// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench.h"

namespace {

using maas::kernels::kMaxInt64Chars;
using maas::kernels::kPrintSlack;

constexpr std::size_t kCount = 16384;

// The loop that one writes with the C++ library.
template <typename Number>
char* print_with_library(const std::vector<Number>& in, char* out) {
  for (const Number value : in) {
    out = std::to_chars(out, out + kMaxInt64Chars, value).ptr;
    *out++ = ',';
  }
  return out;
}

// Speeds are in bytes of text, so that they compare with those of parsing.
template <typename Number, typename Print>
void register_list(const std::string& name, std::vector<Number> numbers, Print print) {
  const auto in = std::make_shared<const std::vector<Number>>(std::move(numbers));
  const auto out = std::make_shared<std::vector<char>>(kCount * kMaxInt64Chars + kPrintSlack);
  const auto& scalar = maas::kernels::available().front();
  const auto size = (scalar.*print)(in->data(), kCount, out->data()).stop - out->data();
  const auto bytes = static_cast<std::size_t>(size);
  register_tables(name, bytes, [=](const maas::kernels::Table& table) {
    benchmark::DoNotOptimize((table.*print)(in->data(), kCount, out->data()));
  });
  register_bench(name + "/to_chars", bytes,
                 [=] { benchmark::DoNotOptimize(print_with_library(*in, out->data())); });
}

template <typename Distribution>
std::vector<float> random_floats(Distribution distribution) {
  std::mt19937 random = same_random();
  std::vector<float> values(kCount);
  for (float& value : values) {
    value = distribution(random);
  }
  return values;
}

std::vector<float> short_decimals() {
  std::vector<float> values = random_floats(std::uniform_real_distribution<float>(0, 1000));
  for (float& value : values) {
    value = static_cast<float>(static_cast<int>(value * 100)) / 100;
  }
  return values;
}

std::vector<std::int64_t> tokens() {
  std::mt19937 random = same_random();
  std::vector<std::int64_t> values(kCount);
  for (std::int64_t& value : values) {
    value = static_cast<std::int64_t>(random() % 50257);
  }
  return values;
}

}  // namespace

void register_print() {
  const auto floats = &maas::kernels::Table::print_float32;
  register_list("print_float32/normal", random_floats(std::normal_distribution<float>()), floats);
  register_list("print_float32/probabilities",
                random_floats(std::uniform_real_distribution<float>(0, 1)), floats);
  register_list("print_float32/2_decimals", short_decimals(), floats);
  register_list("print_int64/tokens", tokens(), &maas::kernels::Table::print_int64);
}
