// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "maas/kernels/parts.h"
#include "maas/kernels/top_k_heap.h"

// The maths in vectors of 8 floats; the rest of a row is a vector with a mask.
namespace maas::kernels {
namespace {

constexpr std::size_t kLanes = 8;

// The lanes that are left when `left` elements are: all bits set in each.
__m256i lanes(std::size_t left) noexcept {
  const int count = static_cast<int>(left < kLanes ? left : kLanes);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

unsigned lane_bits(std::size_t left) noexcept {
  return _bzhi_u32(0xFF, static_cast<unsigned>(left < kLanes ? left : kLanes));
}

float sum_of(__m256 x) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

float max_of(__m256 x) noexcept {
  __m128 best = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  best = _mm_max_ps(best, _mm_movehl_ps(best, best));
  return _mm_cvtss_f32(_mm_max_ss(best, _mm_movehdup_ps(best)));
}

// e^x for x <= 0, within two units in the last place, and 0 where that is less than the smallest
// normal float; NaN stays.
__m256 exp_negative(__m256 x) noexcept {
  const __m256 lowest = _mm256_set1_ps(-87.33F);
  const __m256 kept = _mm256_cmp_ps(x, lowest, _CMP_NLT_UQ);
  x = _mm256_max_ps(lowest, x);  // the second operand wins if NaN
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504F)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.62E4p-1F), x);  // ln 2 in two parts
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.7F7D1CP-20F), r);
  __m256 sum = _mm256_set1_ps(1.0F / 5040);
  for (const float factor : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) {
    sum = _mm256_fmadd_ps(sum, r, _mm256_set1_ps(factor));
  }
  const __m256i power =
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_and_ps(kept, _mm256_mul_ps(sum, _mm256_castsi256_ps(power)));
}

float greatest(const float* in, std::size_t n) noexcept {
  const __m256 none = _mm256_set1_ps(-__builtin_inff());
  __m256 best = none;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    best = _mm256_max_ps(best, _mm256_loadu_ps(in + i));
  }
  const __m256i valid = lanes(n - i);
  const __m256 x = _mm256_maskload_ps(in + i, valid);
  return max_of(_mm256_max_ps(best, _mm256_blendv_ps(none, x, _mm256_castsi256_ps(valid))));
}

void softmax_row(const float* in, float* out, std::size_t cols) noexcept {
  const __m256 top = _mm256_set1_ps(greatest(in, cols));
  const std::size_t whole = cols / kLanes * kLanes;
  const __m256i valid = lanes(cols - whole);
  // The last part stays in its register: what was just stored with a mask is slow to load.
  const __m256 x = _mm256_sub_ps(_mm256_maskload_ps(in + whole, valid), top);
  const __m256 last = _mm256_and_ps(exp_negative(x), _mm256_castsi256_ps(valid));
  __m256 sums = last;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const __m256 e = exp_negative(_mm256_sub_ps(_mm256_loadu_ps(in + i), top));
    sums = _mm256_add_ps(sums, e);
    _mm256_storeu_ps(out + i, e);
  }
  const __m256 factor = _mm256_set1_ps(1 / sum_of(sums));
  for (std::size_t i = 0; i < whole; i += kLanes) {
    _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(out + i), factor));
  }
  _mm256_maskstore_ps(out + whole, valid, _mm256_mul_ps(last, factor));
}

void softmax(const float* in, float* out, std::size_t rows, std::size_t cols) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    softmax_row(in + row * cols, out + row * cols, cols);
  }
}

// Whether any is NaN.
bool has_nan(const float* in, std::size_t n) noexcept {
  __m256 nan = _mm256_setzero_ps();
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __m256 x = _mm256_maskload_ps(in + i, lanes(n - i));
    nan = _mm256_or_ps(nan, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  }
  return _mm256_movemask_ps(nan) != 0;
}

std::size_t argmax_row(const float* in, std::size_t cols) noexcept {
  const bool nan = has_nan(in, cols);
  const __m256 best = _mm256_set1_ps(nan ? 0 : greatest(in, cols));
  for (std::size_t i = 0; i < cols; i += kLanes) {
    const __m256 x = _mm256_maskload_ps(in + i, lanes(cols - i));
    const __m256 found =
        nan ? _mm256_cmp_ps(x, x, _CMP_UNORD_Q) : _mm256_cmp_ps(x, best, _CMP_EQ_OQ);
    const unsigned bits = static_cast<unsigned>(_mm256_movemask_ps(found)) & lane_bits(cols - i);
    if (bits != 0) {
      return i + _tzcnt_u32(bits);
    }
  }
  return 0;
}

void argmax(const float* in, std::int64_t* out, std::size_t rows, std::size_t cols) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols) {
    out[row] = static_cast<std::int64_t>(argmax_row(in, cols));
  }
}

void top_k(const float* in, std::size_t rows, std::size_t cols, const TopK& out) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols) {
    const TopKHeap heap = start_heap(in, out, row);
    for (std::size_t i = out.k; i < cols; i += kLanes) {
      const __m256 x = _mm256_maskload_ps(in + i, lanes(cols - i));
      const __m256 least = _mm256_set1_ps(heap.values[0]);
      const __m256 above = _mm256_cmp_ps(x, least, _CMP_NLE_UQ);
      const unsigned bits = static_cast<unsigned>(_mm256_movemask_ps(above)) & lane_bits(cols - i);
      offer_each(heap, in, i, bits);
    }
    sort_heap(heap);
  }
}

__m256 floats_of(__m128i bytes) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}

// Eight pixels of three channels are 24 bytes; these say where those of one channel are.
struct ChannelOrder {
  __m128i front;  // from the first 16 bytes
  __m128i back;   // from the last 16
};

ChannelOrder channel_order(std::size_t channels, std::size_t channel) noexcept {
  alignas(16) std::uint8_t front[16];
  alignas(16) std::uint8_t back[16];
  const std::size_t skipped = channels * kLanes - 16;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t at = i * channels + channel;
    front[i] = i < kLanes && at < 16 ? static_cast<std::uint8_t>(at) : 0x80;
    back[i] = i < kLanes && at >= 16 ? static_cast<std::uint8_t>(at - skipped) : 0x80;
  }
  return {_mm_load_si128(reinterpret_cast<__m128i*>(front)),
          _mm_load_si128(reinterpret_cast<__m128i*>(back))};
}

// One channel of the pixels in whole vectors; returns how many that were.
std::size_t normalise_channel(const std::uint8_t* hwc,
                              float* out,
                              const ImageShape& shape,
                              const Normalisation& by,
                              std::size_t c) noexcept {
  const std::size_t pixels = shape.height * shape.width;
  const ChannelOrder order = channel_order(shape.channels, c);
  const __m256 scale = _mm256_set1_ps(by.scale);
  const __m256 mean = _mm256_set1_ps(by.mean[c]);
  const __m256 inv_std = _mm256_set1_ps(by.inv_std[c]);
  const std::size_t step = kLanes * shape.channels;
  std::size_t i = 0;
  for (; i + kLanes <= pixels; i += kLanes, hwc += step) {
    const auto* const back = reinterpret_cast<const __m128i*>(hwc + step - 16);
    const __m128i bytes = _mm_or_si128(
        _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(hwc)), order.front),
        _mm_shuffle_epi8(_mm_loadu_si128(back), order.back));
    const __m256 y = _mm256_sub_ps(_mm256_mul_ps(floats_of(bytes), scale), mean);
    _mm256_storeu_ps(out + i, _mm256_mul_ps(y, inv_std));
  }
  return i;
}

void normalise_image(const std::uint8_t* hwc,
                     float* chw,
                     const ImageShape& shape,
                     const Normalisation& by) noexcept {
  if (shape.channels < 3 || shape.channels > 4) {
    kScalar.normalise_image(hwc, chw, shape, by);
    return;
  }
  const std::size_t pixels = shape.height * shape.width;
  for (std::size_t c = 0; c < shape.channels; ++c, chw += pixels) {
    for (std::size_t i = normalise_channel(hwc, chw, shape, by, c); i < pixels; ++i) {
      const float x = static_cast<float>(hwc[i * shape.channels + c]);
      chw[i] = (x * by.scale - by.mean[c]) * by.inv_std[c];
    }
  }
}

void scale_shift_float32(
    const float* in, float* out, std::size_t n, float scale, float shift) noexcept {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m256 x = _mm256_mul_ps(_mm256_loadu_ps(in + i), _mm256_set1_ps(scale));
    _mm256_storeu_ps(out + i, _mm256_add_ps(x, _mm256_set1_ps(shift)));
  }
  for (; i < n; ++i) {
    out[i] = in[i] * scale + shift;
  }
}

void scale_shift_uint8(
    const std::uint8_t* in, float* out, std::size_t n, float scale, float shift) noexcept {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m256 x = floats_of(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(in + i)));
    const __m256 y = _mm256_add_ps(_mm256_mul_ps(x, _mm256_set1_ps(scale)), _mm256_set1_ps(shift));
    _mm256_storeu_ps(out + i, y);
  }
  for (; i < n; ++i) {
    out[i] = static_cast<float>(in[i]) * scale + shift;
  }
}

float norm(const float* in, std::size_t n) noexcept {
  __m256 a = _mm256_setzero_ps();
  __m256 b = _mm256_setzero_ps();
  std::size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const __m256 x = _mm256_loadu_ps(in + i);
    const __m256 y = _mm256_loadu_ps(in + i + kLanes);
    a = _mm256_fmadd_ps(x, x, a);
    b = _mm256_fmadd_ps(y, y, b);
  }
  for (; i < n; i += kLanes) {
    const __m256 x = _mm256_maskload_ps(in + i, lanes(n - i));
    a = _mm256_fmadd_ps(x, x, a);
  }
  return __builtin_sqrtf(sum_of(_mm256_add_ps(a, b)));
}

void l2_normalise(
    const float* in, float* out, std::size_t rows, std::size_t cols, float epsilon) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols, out += cols) {
    const float length = norm(in, cols);
    const __m256 divisor = _mm256_set1_ps(length < epsilon ? epsilon : length);
    std::size_t i = 0;
    for (; i + kLanes <= cols; i += kLanes) {
      _mm256_storeu_ps(out + i, _mm256_div_ps(_mm256_loadu_ps(in + i), divisor));
    }
    const __m256i valid = lanes(cols - i);
    _mm256_maskstore_ps(out + i, valid, _mm256_div_ps(_mm256_maskload_ps(in + i, valid), divisor));
  }
}

constexpr std::size_t kColumns = 8;  // vectors whose sums stay in registers over all tokens

// Up to 64 columns of one row's weighted sum.
void pool_columns(const float* in,
                  const std::int64_t* mask,
                  float* out,
                  const PoolShape& shape,
                  std::size_t from) noexcept {
  __m256 sums[kColumns] = {};
  float total = 0;
  const std::size_t count =
      shape.dim - from < kColumns * kLanes ? shape.dim - from : kColumns * kLanes;
  for (std::size_t token = 0; token < shape.tokens; ++token) {
    if (mask[token] == 0) {
      continue;
    }
    const float weight = static_cast<float>(mask[token]);
    total += weight;
    const float* const x = in + token * shape.dim + from;
    for (std::size_t i = 0; i < count; i += kLanes) {
      const __m256 values = _mm256_maskload_ps(x + i, lanes(count - i));
      __m256& sum = sums[i / kLanes];
      sum = _mm256_add_ps(sum, _mm256_mul_ps(values, _mm256_set1_ps(weight)));
    }
  }
  const __m256 divisor = _mm256_set1_ps(total < 1e-9F ? 1e-9F : total);
  for (std::size_t i = 0; i < count; i += kLanes) {
    _mm256_maskstore_ps(out + from + i, lanes(count - i), _mm256_div_ps(sums[i / kLanes], divisor));
  }
}

void mean_pool(const float* in,
               const std::int64_t* mask,
               float* out,
               const PoolShape& shape) noexcept {
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t from = 0; from < shape.dim; from += kColumns * kLanes) {
      pool_columns(in, mask, out, shape, from);
    }
    in += shape.tokens * shape.dim;
    mask += shape.tokens;
    out += shape.dim;
  }
}

}  // namespace

constinit const Table kAvx2 = {
    .name = "avx2",
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
