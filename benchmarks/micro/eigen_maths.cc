// SPDX-License-Identifier: Apache-2.0
#include "eigen_maths.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <Eigen/Core>

namespace eigen_maths {
namespace {

using Array = Eigen::ArrayXf;
using In = Eigen::Map<const Array>;
using Out = Eigen::Map<Array>;
using Bytes = Eigen::Map<const Eigen::Array<std::uint8_t, Eigen::Dynamic, 1>>;
using StridedBytes = Eigen::Map<const Eigen::Array<std::uint8_t, Eigen::Dynamic, 1>,
                                Eigen::Unaligned,
                                Eigen::InnerStride<>>;

Eigen::Index index(std::size_t n) {
  return static_cast<Eigen::Index>(n);
}

}  // namespace

void softmax(const float* in, float* out, std::size_t rows, std::size_t cols) {
  for (std::size_t row = 0; row < rows; ++row) {
    const In x(in + row * cols, index(cols));
    Out y(out + row * cols, index(cols));
    y = (x - x.maxCoeff()).exp();
    y *= 1 / y.sum();
  }
}

void argmax(const float* in, std::int64_t* out, std::size_t rows, std::size_t cols) {
  for (std::size_t row = 0; row < rows; ++row) {
    Eigen::Index at = 0;
    In(in + row * cols, index(cols)).maxCoeff(&at);
    out[row] = at;
  }
}

void top_k(const float* in, std::size_t rows, std::size_t cols, const maas::kernels::TopK& out) {
  std::vector<std::int64_t> order(cols);
  for (std::size_t row = 0; row < rows; ++row, in += cols) {
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + index(out.k), order.end(),
                      [in](std::int64_t a, std::int64_t b) { return in[a] > in[b]; });
    for (std::size_t i = 0; i < out.k; ++i) {
      out.indices[row * out.k + i] = order[i];
      out.values[row * out.k + i] = in[order[i]];
    }
  }
}

void normalise_image(const std::uint8_t* hwc,
                     float* chw,
                     const maas::kernels::ImageShape& shape,
                     const maas::kernels::Normalisation& by) {
  const Eigen::Index pixels = index(shape.height * shape.width);
  for (std::size_t c = 0; c < shape.channels; ++c) {
    const StridedBytes x(hwc + c, pixels, Eigen::InnerStride<>(index(shape.channels)));
    Out y(chw + index(c) * pixels, pixels);
    y = (x.cast<float>() * by.scale - by.mean[c]) * by.inv_std[c];
  }
}

void scale_shift_float32(const float* in, float* out, std::size_t n, float scale, float shift) {
  Out(out, index(n)) = In(in, index(n)) * scale + shift;
}

void scale_shift_uint8(
    const std::uint8_t* in, float* out, std::size_t n, float scale, float shift) {
  Out(out, index(n)) = Bytes(in, index(n)).cast<float>() * scale + shift;
}

void l2_normalise(const float* in, float* out, std::size_t rows, std::size_t cols, float epsilon) {
  for (std::size_t row = 0; row < rows; ++row) {
    const In x(in + row * cols, index(cols));
    Out(out + row * cols, index(cols)) = x / std::max(x.matrix().norm(), epsilon);
  }
}

void mean_pool(const float* in,
               const std::int64_t* mask,
               float* out,
               const maas::kernels::PoolShape& shape) {
  const Eigen::Index dim = index(shape.dim);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    Out sum(out + index(row) * dim, dim);
    sum.setZero();
    float total = 0;
    for (std::size_t token = 0; token < shape.tokens; ++token, in += dim, ++mask) {
      const auto weight = static_cast<float>(*mask);
      sum += In(in, dim) * weight;
      total += weight;
    }
    sum /= std::max(total, 1e-9F);
  }
}

}  // namespace eigen_maths
