// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "maas/kernels/parts.h"
#include "maas/kernels/powers_of_ten.h"

// Floats to JSON numbers, eight at a time: the method of scalar_print.cc in 64-bit lanes, then one
// byte shuffle for each number's text. Zeros and subnormal numbers go to the scalar version.
namespace maas::kernels {
namespace {

constexpr unsigned kBatch = 8;

// A byte shuffle for each exponent written without 'e', and one for the form with 'e'. The source
// is eight digits, then the first digit, a '0' and a '.'.
constexpr unsigned kExponents = kFixedTo - kFixedFrom + 1;
struct Layouts {
  alignas(16) std::uint8_t of[kExponents + 1][16];
};

// Where a number's digit comes from; before the first one and behind the last are zeros.
constexpr std::uint8_t source_of(int digit) noexcept {
  constexpr std::uint8_t kFirst = 8;
  constexpr std::uint8_t kZero = 9;
  if (digit == 0) {
    return kFirst;
  }
  return digit < 0 || digit > 8 ? kZero : static_cast<std::uint8_t>(digit - 1);
}

constexpr void lay_out(std::uint8_t* layout, int exponent) noexcept {
  constexpr std::uint8_t kDot = 10;
  const int dot = exponent < 0 ? 1 : exponent + 1;
  const int first = exponent < 0 ? exponent : 0;
  for (int i = 0; i < 16; ++i) {
    layout[i] = i == dot ? kDot : source_of(first + i - (i > dot ? 1 : 0));
  }
}

constexpr Layouts kLayouts = [] {
  Layouts layouts = {};
  for (int row = 0; row <= static_cast<int>(kExponents); ++row) {
    const bool fixed = row < static_cast<int>(kExponents);
    lay_out(layouts.of[row], fixed ? row + kFixedFrom : 0);
  }
  return layouts;
}();

// What the vector part finds out about eight numbers.
struct Batch {
  alignas(64) std::uint8_t text[kBatch][16];  // for kLayouts
  alignas(64) std::int64_t exponent[kBatch];  // of the first digit
  alignas(64) std::uint64_t digits[kBatch];   // behind the first, a byte each
  std::uint32_t minus;                        // a bit per number
  std::uint32_t special;                      // zero, subnormal or not finite
};

__m512i all(std::uint64_t value) noexcept {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

// The upper 64 of the 96 bits of power * value, the last bit set when any lower one is.
__m512i round_to_odd(__m512i power, __m512i value) noexcept {
  const __m512i low = _mm512_srli_epi64(_mm512_mul_epu32(power, value), 32);
  const __m512i high = _mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(power, 32), value), low);
  const __mmask8 sticky = _mm512_test_epi64_mask(high, all(0xFFFFFFFE));
  const __m512i result = _mm512_srli_epi64(high, 32);
  return _mm512_mask_or_epi64(result, sticky, result, all(1));
}

// choose() of scalar_print.cc.
__m512i choose(__m512i below, __m512i value, __m512i above) noexcept {
  const __m512i floor = _mm512_srli_epi64(value, 2);
  const __m512i four = _mm512_andnot_si512(all(3), value);
  const __m512i tens =
      _mm512_mul_epu32(_mm512_srli_epi64(_mm512_mul_epu32(floor, all(0xCCCCCCCD)), 35), all(10));
  const __m512i four_tens = _mm512_slli_epi64(tens, 2);
  const __mmask8 low_tens = _mm512_cmple_epu64_mask(below, four_tens);
  const __mmask8 high_tens = _mm512_cmple_epu64_mask(_mm512_add_epi64(four_tens, all(40)), above);
  const __mmask8 low = _mm512_cmple_epu64_mask(below, four);
  const __mmask8 high = _mm512_cmple_epu64_mask(_mm512_add_epi64(four, all(4)), above);
  const __m512i rest =
      _mm512_add_epi64(_mm512_and_si512(value, all(3)), _mm512_and_si512(floor, all(1)));
  const __mmask8 nearer_high = _mm512_cmpgt_epu64_mask(rest, all(2));
  const auto one_fits = static_cast<__mmask8>(low ^ high);
  const auto up = static_cast<__mmask8>((one_fits & high) | (~one_fits & nearer_high));
  const __m512i ones = _mm512_mask_add_epi64(floor, up, floor, all(1));
  const auto use_tens = static_cast<__mmask8>(low_tens ^ high_tens);
  const __m512i tens_up = _mm512_mask_add_epi64(tens, high_tens, tens, all(10));
  return _mm512_mask_mov_epi64(ones, use_tens, tens_up);
}

// The digits of eight normal floats as a whole number of seven to nine, and its power of ten.
struct Decimals {
  __m512i digits;
  __m512i exponent;
};

Decimals shortest(__m512i bits) noexcept {
  const __m512i fraction = _mm512_and_si512(bits, all(0x7FFFFF));
  const __m512i biased = _mm512_and_si512(_mm512_srli_epi64(bits, 23), all(0xFF));
  const __m512i centre = _mm512_slli_epi64(_mm512_or_si512(fraction, all(0x800000)), 2);
  const __m512i q = _mm512_sub_epi64(biased, all(150));
  const auto closer_below = static_cast<__mmask8>(_mm512_testn_epi64_mask(fraction, fraction) &
                                                  _mm512_cmpgt_epu64_mask(biased, all(1)));
  __m512i scaled = _mm512_mul_epi32(q, all(1262611));
  scaled = _mm512_mask_sub_epi64(scaled, closer_below, scaled, all(524031));
  const __m512i k = _mm512_srai_epi64(scaled, 22);
  const __m512i minus_k = _mm512_sub_epi64(_mm512_setzero_si512(), k);
  const __m512i log2 = _mm512_srai_epi64(_mm512_mul_epi32(minus_k, all(1741647)), 19);
  const __m512i h = _mm512_add_epi64(_mm512_add_epi64(q, log2), all(1));
  const __m512i power = _mm512_i64gather_epi64(
      _mm512_sub_epi64(minus_k, _mm512_set1_epi64(kMinPower)), kPowersOfTen.of, 8);
  const __m512i odd = _mm512_and_si512(fraction, all(1));
  __m512i below = _mm512_sub_epi64(centre, all(2));
  below = _mm512_mask_add_epi64(below, closer_below, below, all(1));
  below = _mm512_add_epi64(round_to_odd(power, _mm512_sllv_epi64(below, h)), odd);
  __m512i above = _mm512_sllv_epi64(_mm512_add_epi64(centre, all(2)), h);
  above = _mm512_sub_epi64(round_to_odd(power, above), odd);
  return {choose(below, round_to_odd(power, _mm512_sllv_epi64(centre, h)), above), k};
}

// As many zeros behind the digits as make nine of them; `exponent` becomes that of the first digit.
Decimals normalise(Decimals number) noexcept {
  const __mmask8 below_9 = _mm512_cmplt_epu64_mask(number.digits, all(100000000));
  const __mmask8 below_8 = _mm512_cmplt_epu64_mask(number.digits, all(10000000));
  __m512i factor = _mm512_mask_mov_epi64(all(1), below_9, all(10));
  factor = _mm512_mask_mov_epi64(factor, below_8, all(100));
  __m512i exponent = _mm512_add_epi64(number.exponent, all(8));
  exponent = _mm512_mask_sub_epi64(exponent, below_9, exponent, all(1));
  exponent = _mm512_mask_sub_epi64(exponent, below_8, exponent, all(1));
  return {_mm512_mul_epu32(number.digits, factor), exponent};
}

// Eight digits of each lane, a byte each, the first in the lowest.
__m512i eight_digits(__m512i value) noexcept {
  const __m512i upper = _mm512_srli_epi64(_mm512_mul_epu32(value, all(3518437209)), 45);
  const __m512i lower = _mm512_sub_epi64(value, _mm512_mul_epu32(upper, all(10000)));
  const __m512i fours = _mm512_or_si512(upper, _mm512_slli_epi64(lower, 32));
  const __m512i hundreds = _mm512_srli_epi16(_mm512_mulhi_epu16(fours, _mm512_set1_epi16(5243)), 3);
  const __m512i units =
      _mm512_sub_epi16(fours, _mm512_mullo_epi16(hundreds, _mm512_set1_epi16(100)));
  const __m512i twos = _mm512_or_si512(hundreds, _mm512_slli_epi32(units, 16));
  const __m512i tens = _mm512_mulhi_epu16(twos, _mm512_set1_epi16(6554));
  const __m512i ones = _mm512_sub_epi16(twos, _mm512_mullo_epi16(tens, _mm512_set1_epi16(10)));
  return _mm512_or_si512(tens, _mm512_slli_epi16(ones, 8));
}

void analyse(__m256i bits, Batch& batch) noexcept {
  const __m256i exponent_bits = _mm256_set1_epi32(0x7F800000);
  const __m256i biased = _mm256_and_si256(bits, exponent_bits);
  batch.minus = _mm256_cmplt_epi32_mask(bits, _mm256_setzero_si256());
  batch.special =
      _mm256_testn_epi32_mask(biased, biased) | _mm256_cmpeq_epi32_mask(biased, exponent_bits);
  const Decimals number = normalise(shortest(_mm512_cvtepu32_epi64(bits)));
  const __m512i first = _mm512_srli_epi64(_mm512_mul_epu32(number.digits, all(1441151881)), 57);
  const __m512i rest = _mm512_sub_epi64(number.digits, _mm512_mul_epu32(first, all(100000000)));
  const __m512i digits = eight_digits(rest);
  const __m512i text = _mm512_or_si512(digits, _mm512_set1_epi8('0'));
  const __m512i others = _mm512_or_si512(first, all(0x2E3030));  // first digit, '0', '.'
  const __m512i even = _mm512_unpacklo_epi64(text, others);
  const __m512i odd = _mm512_unpackhi_epi64(text, others);
  const __m512i front = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
  const __m512i back = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  _mm512_store_si512(batch.text, _mm512_permutex2var_epi64(even, front, odd));
  _mm512_store_si512(batch.text + 4, _mm512_permutex2var_epi64(even, back, odd));
  _mm512_store_si512(batch.exponent, number.exponent);
  _mm512_store_si512(batch.digits, digits);
}

char* print_exponent(char* out, int exponent) noexcept {
  *out++ = 'e';
  *out = '-';
  out += exponent < 0 ? 1 : 0;
  const int size = exponent < 0 ? -exponent : exponent;
  *out = static_cast<char>('0' + size / 10);
  out += size >= 10 ? 1 : 0;
  *out = static_cast<char>('0' + size % 10);
  return out + 1;
}

char* print_one(const Batch& batch, unsigned i, char* out) noexcept {
  *out = '-';
  out += batch.minus >> i & 1;
  const auto exponent = static_cast<int>(batch.exponent[i]);
  const int used = 8 - static_cast<int>(_lzcnt_u64(batch.digits[i])) / 8;
  const auto row = static_cast<unsigned>(exponent - kFixedFrom);
  const bool fixed = row < kExponents;
  const auto* const layout = kLayouts.of[fixed ? row : kExponents];
  const __m128i text = _mm_load_si128(reinterpret_cast<const __m128i*>(batch.text[i]));
  const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(layout));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(text, order));
  if (!fixed) {
    return print_exponent(out + (used == 0 ? 1 : used + 2), exponent);
  }
  const int to_last_digit = used + 2 - (exponent < 0 ? exponent : 0);
  const int to_first_decimal = exponent + 3;  // a number such as 30 still gets its ".0"
  return out + (to_last_digit > to_first_decimal ? to_last_digit : to_first_decimal);
}

// The numbers of the batch, in[from] and those behind it.
PrintResult print_batch(
    const Batch& batch, const float* in, std::size_t from, unsigned count, char* out) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    *out = ',';
    char* const begin = out + (from + i != 0 ? 1 : 0);
    if ((batch.special >> i & 1) == 0) {
      out = print_one(batch, i, begin);
      continue;
    }
    const PrintResult one = kScalarPrint.print_float32(in + from + i, 1, begin);
    if (one.count == 0) {
      return {out, i};
    }
    out = one.stop;
  }
  return {out, count};
}

PrintResult print_float32(const float* in, std::size_t n, char* out) noexcept {
  Batch batch;
  for (std::size_t from = 0; from < n; from += kBatch) {
    const auto count = static_cast<unsigned>(n - from < kBatch ? n - from : kBatch);
    const auto valid = static_cast<__mmask8>(_bzhi_u32(0xFF, count));
    analyse(_mm256_maskz_loadu_epi32(valid, in + from), batch);
    const PrintResult printed = print_batch(batch, in, from, count, out);
    out = printed.stop;
    if (printed.count != count) {
      return {out, from + printed.count};
    }
  }
  return {out, n};
}

}  // namespace

constinit const Table kAvx512Print = {.name = "avx512", .print_float32 = print_float32};

}  // namespace maas::kernels
