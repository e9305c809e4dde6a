// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "maas/kernels/parts.h"
#include "maas/kernels/top_k_heap.h"

// The reference: plain loops that say what each function means. Every other table is tested against
// this one, and a processor without vector code of ours runs it.
namespace maas::kernels {
namespace {

void softmax(const float* in, float* out, std::size_t rows, std::size_t cols) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols, out += cols) {
    float greatest = in[0];
    for (std::size_t i = 1; i < cols; ++i) {
      greatest = in[i] > greatest ? in[i] : greatest;
    }
    double sum = 0;
    for (std::size_t i = 0; i < cols; ++i) {
      out[i] = std::exp(in[i] - greatest);
      sum += out[i];
    }
    const float factor = static_cast<float>(1 / sum);
    for (std::size_t i = 0; i < cols; ++i) {
      out[i] *= factor;
    }
  }
}

void argmax(const float* in, std::int64_t* out, std::size_t rows, std::size_t cols) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < cols; ++i) {
      best = is_greater(in[i], in[best]) ? i : best;
    }
    out[row] = static_cast<std::int64_t>(best);
  }
}

void top_k(const float* in, std::size_t rows, std::size_t cols, const TopK& out) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols) {
    const TopKHeap heap = start_heap(in, out, row);
    for (std::size_t i = out.k; i < cols; ++i) {
      offer(heap, in[i], i);
    }
    sort_heap(heap);
  }
}

void normalise_image(const std::uint8_t* hwc,
                     float* chw,
                     const ImageShape& shape,
                     const Normalisation& by) noexcept {
  const std::size_t pixels = shape.height * shape.width;
  for (std::size_t c = 0; c < shape.channels; ++c, chw += pixels) {
    const float mean = by.mean[c];
    const float inv_std = by.inv_std[c];
    for (std::size_t i = 0; i < pixels; ++i) {
      const float value = static_cast<float>(hwc[i * shape.channels + c]);
      chw[i] = (value * by.scale - mean) * inv_std;
    }
  }
}

void scale_shift_float32(
    const float* in, float* out, std::size_t n, float scale, float shift) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = in[i] * scale + shift;
  }
}

void scale_shift_uint8(
    const std::uint8_t* in, float* out, std::size_t n, float scale, float shift) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<float>(in[i]) * scale + shift;
  }
}

void l2_normalise(
    const float* in, float* out, std::size_t rows, std::size_t cols, float epsilon) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols, out += cols) {
    double squares = 0;
    for (std::size_t i = 0; i < cols; ++i) {
      squares += static_cast<double>(in[i]) * in[i];
    }
    const float norm = static_cast<float>(std::sqrt(squares));
    const float divisor = norm < epsilon ? epsilon : norm;  // a NaN stays
    for (std::size_t i = 0; i < cols; ++i) {
      out[i] = in[i] / divisor;
    }
  }
}

void pool_row(const float* in, const std::int64_t* mask, float* out, const PoolShape& shape) {
  for (std::size_t d = 0; d < shape.dim; ++d) {
    out[d] = 0;
  }
  float total = 0;
  for (std::size_t token = 0; token < shape.tokens; ++token, in += shape.dim) {
    if (mask[token] == 0) {
      continue;
    }
    const float weight = static_cast<float>(mask[token]);
    total += weight;
    for (std::size_t d = 0; d < shape.dim; ++d) {
      out[d] += in[d] * weight;
    }
  }
  const float divisor = total < 1e-9F ? 1e-9F : total;
  for (std::size_t d = 0; d < shape.dim; ++d) {
    out[d] /= divisor;
  }
}

void mean_pool(const float* in,
               const std::int64_t* mask,
               float* out,
               const PoolShape& shape) noexcept {
  for (std::size_t row = 0; row < shape.rows; ++row) {
    pool_row(in, mask, out, shape);
    in += shape.tokens * shape.dim;
    mask += shape.tokens;
    out += shape.dim;
  }
}

}  // namespace

constinit const Table kScalar = {
    .name = "scalar",
    .softmax = softmax,
    .argmax = argmax,
    .top_k = top_k,
    .normalise_image = normalise_image,
    .scale_shift_float32 = scale_shift_float32,
    .scale_shift_uint8 = scale_shift_uint8,
    .l2_normalise = l2_normalise,
    .mean_pool = mean_pool,
};

}  // namespace maas::kernels
