// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "maas/kernels/parts.h"
#include "maas/kernels/top_k_heap.h"

// The maths in vectors of 16 floats; the rest of a row is a vector with a mask.
namespace maas::kernels {
namespace {

constexpr std::size_t kLanes = 16;

// The lanes that are left when `left` elements are.
__mmask16 lanes(std::size_t left) noexcept {
  return static_cast<__mmask16>(left >= kLanes ? 0xFFFF
                                               : _bzhi_u32(0xFFFF, static_cast<unsigned>(left)));
}

// e^x for x <= 0, within two units in the last place; NaN stays.
__m512 exp_negative(__m512 x) noexcept {
  x = _mm512_max_ps(_mm512_set1_ps(-104), x);  // there e^x is 0; the second operand wins if NaN
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62E4p-1F), x);  // ln 2 in two parts
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.7F7D1CP-20F), r);
  __m512 sum = _mm512_set1_ps(1.0F / 5040);
  for (const float factor : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) {
    sum = _mm512_fmadd_ps(sum, r, _mm512_set1_ps(factor));
  }
  return _mm512_scalef_ps(sum, n);
}

float greatest(const float* in, std::size_t n) noexcept {
  __m512 best = _mm512_set1_ps(-__builtin_inff());
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __mmask16 valid = lanes(n - i);
    best = _mm512_mask_max_ps(best, valid, best, _mm512_maskz_loadu_ps(valid, in + i));
  }
  return _mm512_reduce_max_ps(best);
}

void softmax_row(const float* in, float* out, std::size_t cols) noexcept {
  const __m512 top = _mm512_set1_ps(greatest(in, cols));
  const std::size_t whole = cols / kLanes * kLanes;
  const __mmask16 valid = lanes(cols - whole);
  // The last part stays in its register: what was just stored with a mask is slow to load.
  const __m512 x = _mm512_maskz_loadu_ps(valid, in + whole);
  const __m512 last = _mm512_maskz_mov_ps(valid, exp_negative(_mm512_sub_ps(x, top)));
  __m512 sums = last;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    const __m512 e = exp_negative(_mm512_sub_ps(_mm512_loadu_ps(in + i), top));
    sums = _mm512_add_ps(sums, e);
    _mm512_storeu_ps(out + i, e);
  }
  const __m512 factor = _mm512_set1_ps(1 / _mm512_reduce_add_ps(sums));
  for (std::size_t i = 0; i < whole; i += kLanes) {
    _mm512_storeu_ps(out + i, _mm512_mul_ps(_mm512_loadu_ps(out + i), factor));
  }
  _mm512_mask_storeu_ps(out + whole, valid, _mm512_mul_ps(last, factor));
}

void softmax(const float* in, float* out, std::size_t rows, std::size_t cols) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    softmax_row(in + row * cols, out + row * cols, cols);
  }
}

// Whether any is NaN.
bool has_nan(const float* in, std::size_t n) noexcept {
  __mmask16 nan = 0;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __m512 x = _mm512_maskz_loadu_ps(lanes(n - i), in + i);
    nan |= _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  }
  return nan != 0;
}

std::size_t argmax_row(const float* in, std::size_t cols) noexcept {
  const bool nan = has_nan(in, cols);
  const __m512 best = _mm512_set1_ps(nan ? 0 : greatest(in, cols));
  for (std::size_t i = 0; i < cols; i += kLanes) {
    const __mmask16 valid = lanes(cols - i);
    const __m512 x = _mm512_maskz_loadu_ps(valid, in + i);
    const __mmask16 found = nan ? _mm512_mask_cmp_ps_mask(valid, x, x, _CMP_UNORD_Q)
                                : _mm512_mask_cmp_ps_mask(valid, x, best, _CMP_EQ_OQ);
    if (found != 0) {
      return i + _tzcnt_u32(found);
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
      const __mmask16 valid = lanes(cols - i);
      const __m512 x = _mm512_maskz_loadu_ps(valid, in + i);
      const __m512 least = _mm512_set1_ps(heap.values[0]);
      offer_each(heap, in, i, _mm512_mask_cmp_ps_mask(valid, x, least, _CMP_NLE_UQ));
    }
    sort_heap(heap);
  }
}

// Which byte of sixteen pixels goes where when the channels are pulled apart.
__m512i channel_order(std::size_t channels) noexcept {
  alignas(64) std::uint8_t order[64] = {};
  for (std::size_t i = 0; i < channels * kLanes; ++i) {
    order[i] = static_cast<std::uint8_t>(i % kLanes * channels + i / kLanes);
  }
  return _mm512_load_si512(order);
}

void normalise_image(const std::uint8_t* hwc,
                     float* chw,
                     const ImageShape& shape,
                     const Normalisation& by) noexcept {
  const std::size_t channels = shape.channels;
  const std::size_t pixels = shape.height * shape.width;
  if (channels == 0 || channels > 4) {
    kScalar.normalise_image(hwc, chw, shape, by);
    return;
  }
  const __m512i order = channel_order(channels);
  const __m512 scale = _mm512_set1_ps(by.scale);
  for (std::size_t i = 0; i < pixels; i += kLanes) {
    const __mmask16 valid = lanes(pixels - i);
    const std::size_t bytes = channels * (pixels - i < kLanes ? pixels - i : kLanes);
    const __mmask64 present = _bzhi_u64(~0ULL, static_cast<unsigned>(bytes));
    const __m512i mixed = _mm512_maskz_loadu_epi8(present, hwc + i * channels);
    alignas(64) std::uint8_t planes[64];
    _mm512_store_si512(planes, _mm512_permutexvar_epi8(order, mixed));
    for (std::size_t c = 0; c < channels; ++c) {
      const __m128i bytes_of = _mm_load_si128(reinterpret_cast<__m128i*>(planes + c * kLanes));
      const __m512 x = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes_of));
      const __m512 y = _mm512_sub_ps(_mm512_mul_ps(x, scale), _mm512_set1_ps(by.mean[c]));
      _mm512_mask_storeu_ps(chw + c * pixels + i, valid,
                            _mm512_mul_ps(y, _mm512_set1_ps(by.inv_std[c])));
    }
  }
}

void scale_shift_float32(
    const float* in, float* out, std::size_t n, float scale, float shift) noexcept {
  const auto apply = [=](__m512 x) noexcept {
    return _mm512_add_ps(_mm512_mul_ps(x, _mm512_set1_ps(scale)), _mm512_set1_ps(shift));
  };
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    _mm512_storeu_ps(out + i, apply(_mm512_loadu_ps(in + i)));
  }
  const __mmask16 valid = lanes(n - i);
  _mm512_mask_storeu_ps(out + i, valid, apply(_mm512_maskz_loadu_ps(valid, in + i)));
}

void scale_shift_uint8(
    const std::uint8_t* in, float* out, std::size_t n, float scale, float shift) noexcept {
  const auto apply = [=](__m128i bytes) noexcept {
    const __m512 x = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
    return _mm512_add_ps(_mm512_mul_ps(x, _mm512_set1_ps(scale)), _mm512_set1_ps(shift));
  };
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto* const bytes = reinterpret_cast<const __m128i*>(in + i);
    _mm512_storeu_ps(out + i, apply(_mm_loadu_si128(bytes)));
  }
  const __mmask16 valid = lanes(n - i);
  _mm512_mask_storeu_ps(out + i, valid, apply(_mm_maskz_loadu_epi8(valid, in + i)));
}

float norm(const float* in, std::size_t n) noexcept {
  __m512 a = _mm512_setzero_ps();
  __m512 b = _mm512_setzero_ps();
  std::size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const __m512 x = _mm512_loadu_ps(in + i);
    const __m512 y = _mm512_loadu_ps(in + i + kLanes);
    a = _mm512_fmadd_ps(x, x, a);
    b = _mm512_fmadd_ps(y, y, b);
  }
  for (; i < n; i += kLanes) {
    const __m512 x = _mm512_maskz_loadu_ps(lanes(n - i), in + i);
    a = _mm512_fmadd_ps(x, x, a);
  }
  return __builtin_sqrtf(_mm512_reduce_add_ps(_mm512_add_ps(a, b)));
}

void l2_normalise(
    const float* in, float* out, std::size_t rows, std::size_t cols, float epsilon) noexcept {
  for (std::size_t row = 0; row < rows; ++row, in += cols, out += cols) {
    const float length = norm(in, cols);
    const __m512 divisor = _mm512_set1_ps(length < epsilon ? epsilon : length);
    for (std::size_t i = 0; i < cols; i += kLanes) {
      const __mmask16 valid = lanes(cols - i);
      const __m512 x = _mm512_maskz_loadu_ps(valid, in + i);
      _mm512_mask_storeu_ps(out + i, valid, _mm512_div_ps(x, divisor));
    }
  }
}

constexpr std::size_t kColumns = 4;  // vectors whose sums stay in registers over all tokens

// Up to 64 columns of one row's weighted sum.
void pool_columns(const float* in,
                  const std::int64_t* mask,
                  float* out,
                  const PoolShape& shape,
                  std::size_t from) noexcept {
  __m512 sums[kColumns] = {};
  __mmask16 valid[kColumns];
  for (std::size_t v = 0; v < kColumns; ++v) {
    const std::size_t begin = from + v * kLanes;
    valid[v] = begin < shape.dim ? lanes(shape.dim - begin) : static_cast<__mmask16>(0);
  }
  float total = 0;
  for (std::size_t token = 0; token < shape.tokens; ++token) {
    if (mask[token] == 0) {
      continue;
    }
    const float weight = static_cast<float>(mask[token]);
    total += weight;
    const float* const x = in + token * shape.dim + from;
    for (std::size_t v = 0; v < kColumns; ++v) {
      const __m512 values = _mm512_maskz_loadu_ps(valid[v], x + v * kLanes);
      sums[v] = _mm512_add_ps(sums[v], _mm512_mul_ps(values, _mm512_set1_ps(weight)));
    }
  }
  const __m512 divisor = _mm512_set1_ps(total < 1e-9F ? 1e-9F : total);
  for (std::size_t v = 0; v < kColumns; ++v) {
    _mm512_mask_storeu_ps(out + from + v * kLanes, valid[v], _mm512_div_ps(sums[v], divisor));
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

constinit const Table kAvx512 = {
    .name = "avx512",
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
