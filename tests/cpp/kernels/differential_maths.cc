// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "differential.h"
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace maas::kernels::testing {

namespace {

constexpr std::size_t kMaxSize = 67;
constexpr std::size_t kMaxRows = 3;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

std::size_t round_to_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

// Pages with a fence behind them, by size: making one anew costs more than a test that uses it.
std::map<std::size_t, std::vector<void*>>& unused_pages() {
  static std::map<std::size_t, std::vector<void*>> pages;
  return pages;
}

void* take_pages(std::size_t bytes) {
  std::vector<void*>& unused = unused_pages()[bytes];
  if (!unused.empty()) {
    void* const pages = unused.back();
    unused.pop_back();
    return pages;
  }
  const std::size_t fence = round_to_pages(1);
  void* const pages =
      mmap(nullptr, bytes + fence, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(pages, MAP_FAILED);
  EXPECT_EQ(mprotect(static_cast<char*>(pages) + bytes, fence, PROT_NONE), 0);
  return pages;
}

// Random floats; every fifth set has equal, infinite and NaN ones among them.
std::vector<float> awkward_floats(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> values(n);
  for (float& value : values) {
    value = normal(random);
    if (seed % 5 == 1) {
      value = std::round(value);
    } else if (seed % 5 == 2 && random() % 16 == 0) {
      value = random() % 2 == 0 ? -kInf : kNan;
    } else if (seed % 5 == 3) {
      value = -kInf;
    }
  }
  return values;
}

// `values` at the end of fenced memory, or up to three elements before it.
struct Input {
  Input(const std::vector<float>& values, std::size_t shift)
      : memory((values.size() + shift) * sizeof(float)) {
    std::copy(values.begin(), values.end(), memory.as<float>());
  }
  [[nodiscard]] const float* data() const { return memory.as<float>(); }

  Fenced memory;
};

bool same(float a, float b, float tolerance) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::isnan(a) && std::isnan(b);
  }
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) ||
         std::fabs(a - b) <= tolerance * std::max(std::fabs(a), std::fabs(b)) + tolerance * 1e-30F;
}

void expect_same(const float* expected, const float* actual, std::size_t n, float tolerance) {
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_TRUE(same(expected[i], actual[i], tolerance))
        << "element " << i << " of " << n << ": " << expected[i] << " and " << actual[i];
  }
}

// Calls check(rows, cols, seed) for every size.
template <typename Check>
void over_sizes(std::size_t least, Check check) {
  for (std::size_t rows = 1; rows <= kMaxRows; ++rows) {
    for (std::size_t cols = least; cols <= kMaxSize; ++cols) {
      check(rows, cols, static_cast<unsigned>(cols * kMaxRows + rows));
    }
  }
  check(1, 1000, 0);
  check(1, 1003, 2);
}

}  // namespace

Fenced::Fenced(std::size_t size)
    : pages_(take_pages(round_to_pages(size))),
      size_(size),
      end_(static_cast<char*>(pages_) + round_to_pages(size)) {}

Fenced::Fenced(std::string_view text) : Fenced(text.size()) {
  std::memcpy(begin(), text.data(), text.size());
}

Fenced::~Fenced() {
  unused_pages()[round_to_pages(size_)].push_back(pages_);
}

const Table* find(std::string_view name) {
  for (const Table& table : available()) {
    if (table.name == name) {
      return &table;
    }
  }
  return nullptr;
}

const Table& scalar() {
  return available().front();
}

void expect_same_softmax(const Table& table) {
  over_sizes(1, [&](std::size_t rows, std::size_t cols, unsigned seed) {
    const std::size_t n = rows * cols;
    const Input in(awkward_floats(n, seed), seed % 4);
    std::vector<float> expected(n);
    const Fenced actual(n * sizeof(float));
    scalar().softmax(in.data(), expected.data(), rows, cols);
    table.softmax(in.data(), actual.as<float>(), rows, cols);
    expect_same(expected.data(), actual.as<float>(), n, 2e-6F);
    std::memcpy(actual.begin(), in.data(), n * sizeof(float));
    table.softmax(actual.as<float>(), actual.as<float>(), rows, cols);  // in place
    expect_same(expected.data(), actual.as<float>(), n, 2e-6F);
  });
}

void expect_same_argmax(const Table& table) {
  over_sizes(1, [&](std::size_t rows, std::size_t cols, unsigned seed) {
    const Input in(awkward_floats(rows * cols, seed), seed % 4);
    std::vector<std::int64_t> expected(rows);
    std::vector<std::int64_t> actual(rows);
    scalar().argmax(in.data(), expected.data(), rows, cols);
    table.argmax(in.data(), actual.data(), rows, cols);
    ASSERT_EQ(expected, actual);
  });
}

void expect_same_top_k(const Table& table) {
  over_sizes(1, [&](std::size_t rows, std::size_t cols, unsigned seed) {
    const Input in(awkward_floats(rows * cols, seed), seed % 4);
    for (const std::size_t k : {std::size_t{1}, (cols + 1) / 2, cols}) {
      std::vector<float> expected(rows * k);
      std::vector<float> actual(rows * k);
      std::vector<std::int64_t> expected_at(rows * k);
      std::vector<std::int64_t> actual_at(rows * k);
      scalar().top_k(in.data(), rows, cols, {expected.data(), expected_at.data(), k});
      table.top_k(in.data(), rows, cols, {actual.data(), actual_at.data(), k});
      expect_same(expected.data(), actual.data(), rows * k, 0);
      ASSERT_EQ(expected_at, actual_at);
    }
  });
}

void expect_same_image(const Table& table) {
  const std::vector<float> mean = {0.485F, 0.456F, 0.406F, 0.5F, 0.25F};
  const std::vector<float> inv_std = {4.37F, 4.46F, 4.44F, 2.0F, 3.0F};
  const Normalisation by = {1.0F / 255, mean.data(), inv_std.data()};
  std::mt19937 random(1);
  const auto random_byte = [&] { return static_cast<std::uint8_t>(random()); };
  for (std::size_t channels = 1; channels <= mean.size(); ++channels) {
    for (std::size_t width = 0; width <= kMaxSize; ++width) {
      const ImageShape shape = {width % 3 + 1, width, channels};
      const std::size_t n = shape.height * width * channels;
      const Fenced in(n);
      std::generate_n(in.as<std::uint8_t>(), n, random_byte);
      std::vector<float> expected(n);
      const Fenced actual(n * sizeof(float));
      scalar().normalise_image(in.as<std::uint8_t>(), expected.data(), shape, by);
      table.normalise_image(in.as<std::uint8_t>(), actual.as<float>(), shape, by);
      expect_same(expected.data(), actual.as<float>(), n, 0);
    }
  }
}

void expect_same_scale_shift(const Table& table) {
  over_sizes(0, [&](std::size_t rows, std::size_t cols, unsigned seed) {
    const std::size_t n = rows * cols;
    const Input in(awkward_floats(n, seed), seed % 4);
    std::vector<float> expected(n);
    const Fenced actual(n * sizeof(float));
    scalar().scale_shift_float32(in.data(), expected.data(), n, 1.7F, -0.3F);
    table.scale_shift_float32(in.data(), actual.as<float>(), n, 1.7F, -0.3F);
    expect_same(expected.data(), actual.as<float>(), n, 0);
    const Fenced bytes(n);
    std::memcpy(bytes.begin(), in.data(), n);
    scalar().scale_shift_uint8(bytes.as<std::uint8_t>(), expected.data(), n, 1.7F, -0.3F);
    table.scale_shift_uint8(bytes.as<std::uint8_t>(), actual.as<float>(), n, 1.7F, -0.3F);
    expect_same(expected.data(), actual.as<float>(), n, 0);
  });
}

void expect_same_l2_normalise(const Table& table) {
  over_sizes(1, [&](std::size_t rows, std::size_t cols, unsigned seed) {
    const std::size_t n = rows * cols;
    const Input in(awkward_floats(n, seed), seed % 4);
    std::vector<float> expected(n);
    const Fenced actual(n * sizeof(float));
    for (const float epsilon : {1e-12F, 1e3F}) {
      scalar().l2_normalise(in.data(), expected.data(), rows, cols, epsilon);
      table.l2_normalise(in.data(), actual.as<float>(), rows, cols, epsilon);
      expect_same(expected.data(), actual.as<float>(), n, 2e-6F);
    }
  });
}

void expect_same_mean_pool(const Table& table) {
  std::mt19937 random(1);
  for (std::size_t dim = 0; dim <= 2 * kMaxSize; ++dim) {
    const PoolShape shape = {dim % 3, dim % 7, dim};
    const std::size_t tokens = shape.rows * shape.tokens;
    const Input in(awkward_floats(tokens * dim, static_cast<unsigned>(dim)), 0);
    std::vector<std::int64_t> mask(tokens);
    for (std::int64_t& weight : mask) {
      weight = static_cast<std::int64_t>(random() % 3);
    }
    std::vector<float> expected(shape.rows * dim);
    const Fenced actual(shape.rows * dim * sizeof(float));
    scalar().mean_pool(in.data(), mask.data(), expected.data(), shape);
    table.mean_pool(in.data(), mask.data(), actual.as<float>(), shape);
    expect_same(expected.data(), actual.as<float>(), expected.size(), 0);
  }
}

}  // namespace maas::kernels::testing
