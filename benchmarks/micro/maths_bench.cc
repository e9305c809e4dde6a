// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "bench.h"
#include "eigen_maths.h"

namespace {

using maas::kernels::ImageShape;
using maas::kernels::Normalisation;
using maas::kernels::PoolShape;
using maas::kernels::Table;
using maas::kernels::TopK;

constexpr std::size_t kCount = 1 << 17;

// What all benchmarks read and write; it lives as long as the program.
struct Data {
  std::vector<float> in = std::vector<float>(kCount);
  std::vector<float> out = std::vector<float>(4 * kCount);
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(4 * kCount);
  std::vector<std::int64_t> integers = std::vector<std::int64_t>(kCount);
  std::vector<std::int64_t> mask = std::vector<std::int64_t>(kCount);
  std::vector<float> mean = {0.485F, 0.456F, 0.406F, 0.5F};
  std::vector<float> inv_std = {4.37F, 4.46F, 4.44F, 2.0F};

  Data() {
    std::mt19937 random = same_random();
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < kCount; ++i) {
      in[i] = normal(random);
      mask[i] = random() % 4 != 0 ? 1 : 0;
    }
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
  }
};

Data& data() {
  static Data all;
  return all;
}

// The rivals in a Table's shape, so that both are called the same way.
struct Eigen {
  decltype(&eigen_maths::softmax) softmax = eigen_maths::softmax;
  decltype(&eigen_maths::argmax) argmax = eigen_maths::argmax;
  decltype(&eigen_maths::top_k) top_k = eigen_maths::top_k;
  decltype(&eigen_maths::normalise_image) normalise_image = eigen_maths::normalise_image;
  decltype(&eigen_maths::scale_shift_float32) scale_shift_float32 =
      eigen_maths::scale_shift_float32;
  decltype(&eigen_maths::scale_shift_uint8) scale_shift_uint8 = eigen_maths::scale_shift_uint8;
  decltype(&eigen_maths::l2_normalise) l2_normalise = eigen_maths::l2_normalise;
  decltype(&eigen_maths::mean_pool) mean_pool = eigen_maths::mean_pool;
};

template <typename Call>
void register_both(const std::string& name, std::size_t bytes, Call call) {
  register_tables(name, bytes, [call](const Table& table) { call(table); });
  register_bench(name + "/library", bytes, [call] { call(Eigen{}); });
}

// "/8x42x384"
std::string size_name(std::initializer_list<std::size_t> sizes) {
  std::string name;
  for (const std::size_t size : sizes) {
    name.append(name.empty() ? "/" : "x").append(std::to_string(size));
  }
  return name;
}

void register_rows(std::size_t cols) {
  const std::size_t rows = kCount / cols;
  const std::size_t bytes = rows * cols * sizeof(float);
  const std::string size = size_name({rows, cols});
  register_both("softmax" + size, 2 * bytes, [=](const auto& table) {
    table.softmax(data().in.data(), data().out.data(), rows, cols);
  });
  register_both("argmax" + size, bytes, [=](const auto& table) {
    table.argmax(data().in.data(), data().integers.data(), rows, cols);
  });
  register_both("top_5" + size, bytes, [=](const auto& table) {
    const TopK out = {data().out.data(), data().integers.data(), 5};
    table.top_k(data().in.data(), rows, cols, out);
  });
  register_both("l2_normalise" + size, 2 * bytes, [=](const auto& table) {
    table.l2_normalise(data().in.data(), data().out.data(), rows, cols, 1e-12F);
  });
}

void register_image(std::size_t channels) {
  const ImageShape shape = {224, 224, channels};
  const std::string size = size_name({224, 224, channels});
  const std::size_t bytes = shape.height * shape.width * channels * (1 + sizeof(float));
  register_both("normalise_image" + size, bytes, [=](const auto& table) {
    const Normalisation by = {1.0F / 255, data().mean.data(), data().inv_std.data()};
    table.normalise_image(data().bytes.data(), data().out.data(), shape, by);
  });
}

void register_scale_shift(std::size_t n) {
  const std::string size = size_name({n});
  register_both("scale_shift_float32" + size, 2 * n * sizeof(float), [=](const auto& table) {
    table.scale_shift_float32(data().in.data(), data().out.data(), n, 1.5F, 2.0F);
  });
  register_both("scale_shift_uint8" + size, n * (1 + sizeof(float)), [=](const auto& table) {
    table.scale_shift_uint8(data().bytes.data(), data().out.data(), n, 1.5F, 2.0F);
  });
}

void register_pool(const PoolShape& shape) {
  const std::size_t n = shape.rows * shape.tokens * shape.dim;
  const std::string size = size_name({shape.rows, shape.tokens, shape.dim});
  register_both("mean_pool" + size, n * sizeof(float), [=](const auto& table) {
    table.mean_pool(data().in.data(), data().mask.data(), data().out.data(), shape);
  });
}

}  // namespace

void register_maths() {
  for (const std::size_t cols : {10U, 384U, 1000U, 32768U}) {
    register_rows(cols);
  }
  for (const std::size_t channels : {1U, 3U, 4U}) {
    register_image(channels);
  }
  for (const std::size_t n : {1024U, 131072U}) {
    register_scale_shift(n);
  }
  register_pool({8, 42, 384});
  register_pool({1, 128, 768});
}
