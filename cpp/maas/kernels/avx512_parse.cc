// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "maas/kernels/number_marks.h"
#include "maas/kernels/parts.h"

// JSON numbers, 64 characters at a time. Bit masks say where each kind of character stands, a few
// operations on them check the grammar of all numbers in the block, and the digits of up to eight
// numbers are spread into equal lanes and converted together. Whatever is not a plain number
// (exponents, odd white space, very long numbers, errors) goes to the scalar version.
namespace maas::kernels {
namespace {

using Mask = std::uint64_t;

constexpr unsigned kNarrow = 8;   // digits of a number that shares a register with seven others
constexpr unsigned kMiddle = 16;  // that shares it with three others
constexpr unsigned kBatch = 8;    // numbers converted together
constexpr unsigned kMost = 32;    // numbers in a block: "1,1,..."
// How many numbers the scalar version gets before a block is tried again, and at most, where
// nothing is plain.
constexpr std::size_t kOdd = 4;
constexpr std::size_t kMostOdd = 64;

constexpr double kInverse[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
                               1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

template <typename Number>
constexpr bool kIsFloat = false;
template <>
constexpr bool kIsFloat<float> = true;

// The longest number that is converted here: its digits must fit the arithmetic.
template <typename Number>
constexpr unsigned kWide = kIsFloat<Number> ? 19 : 18;

// A vector that stays in its register: left alone, GCC makes each constant anew for each block.
__m512i keep(char c) noexcept {
  // NOLINTNEXTLINE(misc-const-correctness): the assembly below has it as an operand it writes
  __m512i all = _mm512_set1_epi8(c);
  asm("" : "+v"(all));
  return all;
}

struct Constants {
  __m512i nine = keep(9), zero = keep('0'), comma = keep(','), close = keep(']'), dot = keep('.'),
          minus = keep('-'), space = keep(' ');
};

// A mask as a word, before GCC folds what is done with it into slower masked comparisons.
Mask word(__mmask64 mask) noexcept {
  asm("" : "+r"(mask));
  return mask;
}

Kinds classify(__m512i text, __m512i values, const Constants& all) noexcept {
  return {
      word(_mm512_cmple_epu8_mask(values, all.nine)), word(_mm512_cmpeq_epi8_mask(text, all.zero)),
      word(_mm512_cmpeq_epi8_mask(text, all.comma)),  word(_mm512_cmpeq_epi8_mask(text, all.close)),
      word(_mm512_cmpeq_epi8_mask(text, all.dot)),    word(_mm512_cmpeq_epi8_mask(text, all.minus)),
      word(_mm512_cmpeq_epi8_mask(text, all.space))};
}

// Refuses the second dot of a number, and tells where the integer parts end: at a dot or at `end`.
Mask mark_whole_ends(const Kinds& is, Marks& marks) noexcept {
  const Mask stops = is.dot | marks.end;
  const Mask dots = _pext_u64(is.dot, stops);  // dots and ends, moved together
  marks.wrong |= _pdep_u64(dots & (dots << 1), stops);
  return _pdep_u64(~(dots << 1), stops);
}

// The plain numbers that end inside the 64 characters from `text`.
struct Block {
  __m512i digits;       // their digits, 0..9, moved together
  std::uint32_t minus;  // a bit per number
  unsigned count;
  unsigned consumed;             // characters up to and with the last comma, or up to the ']'
  bool closed;                   // it was the ']'
  __mmask32 longer_than_narrow;  // a bit per number
  __mmask32 longer_than_middle;
  alignas(32) std::uint8_t first[kMost];     // per number: place of its first digit,
  alignas(32) std::uint8_t size[kMost];      // count of its digits, 0 behind the last number
  alignas(32) std::uint8_t decimals[kMost];  // and how many of them stand behind the dot
};

alignas(64) constexpr std::uint8_t kPlaces[64] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

__m512i all_places() noexcept {
  return _mm512_load_si512(kPlaces);
}

__m256i places(Mask mask) noexcept {
  return _mm512_castsi512_si256(_mm512_maskz_compress_epi8(mask, all_places()));
}

// The digits without the first `n`; what comes in behind does not matter.
__m512i drop_front(__m512i digits, unsigned n) noexcept {
  const __m512i from = _mm512_add_epi8(all_places(), _mm512_set1_epi8(static_cast<char>(n)));
  return _mm512_permutexvar_epi8(from, digits);
}

void measure(const Marks& marks, Mask whole_ends, Block& block) noexcept {
  const __m256i first = places(marks.first);
  const __m256i whole_end = places(whole_ends);
  const __m256i decimals =
      _mm256_subs_epu8(_mm256_sub_epi8(places(marks.end), whole_end), _mm256_set1_epi8(1));
  const __m256i size = _mm256_add_epi8(_mm256_sub_epi8(whole_end, first), decimals);
  const __mmask32 numbers = _bzhi_u32(~0U, block.count);
  block.longer_than_narrow = _mm256_mask_cmpgt_epu8_mask(numbers, size, _mm256_set1_epi8(kNarrow));
  block.longer_than_middle = _mm256_mask_cmpgt_epu8_mask(numbers, size, _mm256_set1_epi8(kMiddle));
  _mm256_store_si256(reinterpret_cast<__m256i*>(block.first), first);
  _mm256_store_si256(reinterpret_cast<__m256i*>(block.size), _mm256_maskz_mov_epi8(numbers, size));
  _mm256_store_si256(reinterpret_cast<__m256i*>(block.decimals),
                     _mm256_maskz_mov_epi8(numbers, decimals));
}

template <bool kDots>
void scan(const char* text, const char* end, const Constants& all, Block& block) noexcept {
  const std::size_t left = static_cast<std::size_t>(end - text);
  const Mask inside = left >= 64 ? ~Mask{0} : _bzhi_u64(~Mask{0}, static_cast<unsigned>(left));
  const __m512i characters = _mm512_maskz_loadu_epi8(inside, text);
  const __m512i values = _mm512_sub_epi8(characters, all.zero);
  const Kinds is = classify(characters, values, all);
  Marks marks = mark_numbers<kDots>(is);
  const Mask whole_ends = kDots ? mark_whole_ends(is, marks) : marks.end;
  Mask usable = marks.end & _blsmsk_u64(is.close);
  if ((_tzcnt_u64(marks.wrong) + _lzcnt_u64(usable)) < 64) [[unlikely]] {
    usable &= ~marks.wrong & (marks.wrong - 1);
  }
  block.count = static_cast<unsigned>(_mm_popcnt_u64(usable));
  if (usable == 0) {
    return;
  }
  const Mask last = Mask{1} << (63 - _lzcnt_u64(usable));
  block.closed = (last & is.close) != 0;
  block.consumed = static_cast<unsigned>(_tzcnt_u64(last)) + (block.closed ? 0 : 1);
  block.minus = static_cast<std::uint32_t>(_pext_u64(marks.minus << 1, marks.first));
  block.digits = _mm512_maskz_compress_epi8(is.digit, values);
  measure(marks, whole_ends, block);
}

// The lanes in which the double is so near the middle of two floats that its own rounding may have
// decided the last bit; see round_quickly in scalar_parse.cc.
__mmask8 doubtful(__m512d value) noexcept {
  const __m512i cut = _mm512_and_si512(_mm512_castpd_si512(value), _mm512_set1_epi64(0x1FFFFFFF));
  return _mm512_cmple_epu64_mask(_mm512_sub_epi64(cut, _mm512_set1_epi64(0x10000000 - 8)),
                                 _mm512_set1_epi64(16));
}

// Eight numbers from `from` on are stored as their type; the result are those that must not be
// taken. `valid` and `minus` hold a bit per number.
__mmask8 store(__m512i whole, __m512d scale, __mmask8 minus, __mmask8 valid, float* out) noexcept {
  const __m512d value = _mm512_mul_pd(_mm512_cvtepu64_pd(whole), scale);
  const __m256i bits = _mm256_castps_si256(_mm512_cvtpd_ps(value));
  const __m256i sign = _mm256_set1_epi32(static_cast<int>(0x80000000));
  _mm256_mask_storeu_epi32(out, valid, _mm256_mask_xor_epi32(bits, minus, bits, sign));
  return doubtful(value) & valid;
}

__mmask8 store(__m512i whole, __m512d, __mmask8 minus, __mmask8 valid, std::int64_t* out) noexcept {
  whole = _mm512_mask_sub_epi64(whole, minus, _mm512_setzero_si512(), whole);
  _mm512_mask_storeu_epi64(out, valid, whole);
  return 0;
}

// Four digits to a 32-bit lane, from digits a byte each.
__m512i join_fours(__m512i digits) noexcept {
  const __m512i twos = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(0x010A));
  return _mm512_madd_epi16(twos, _mm512_set1_epi32(0x00010064));
}

// The lower 32-bit half of each 64-bit lane is the upper part of a number.
__m512i join_halves(__m512i parts, int unit) noexcept {
  const __m512i upper = _mm512_mul_epu32(parts, _mm512_set1_epi64(unit));
  return _mm512_add_epi64(upper, _mm512_srli_epi64(parts, 32));
}

// Sixteen digits to the lower half of each 128-bit lane, from digits moved together.
__m512i join_eights(Mask lanes, __m512i digits) noexcept {
  const __m512i fours = join_fours(_mm512_maskz_expand_epi8(lanes, digits));
  const __m512i eights =
      _mm512_madd_epi16(_mm512_packus_epi32(fours, fours), _mm512_set1_epi32(0x00012710));
  return join_halves(eights, 100000000);
}

// Converts the numbers of a block without one longer than kNarrow digits. The result is how many
// were: fewer than there are when the next one needs the scalar version.
template <typename Number>
unsigned convert_narrow(const Block& block, Number* out) noexcept {
  const __m128i lanes_of = _mm_set_epi64x(0xFF, static_cast<long long>(0xFEFCF8F0E0C08000));
  const __m512d inverse = _mm512_loadu_pd(kInverse);
  unsigned used = 0;
  for (unsigned from = 0; from < block.count; from += kBatch) {
    const __m128i size = _mm_loadu_si64(block.size + from);
    const __m128i decimals = _mm_loadu_si64(block.decimals + from);
    const auto lanes = static_cast<Mask>(_mm_cvtsi128_si64(_mm_shuffle_epi8(lanes_of, size)));
    const __m512i digits = from == 0 ? block.digits : drop_front(block.digits, used);
    const __m512i whole = join_halves(join_fours(_mm512_maskz_expand_epi8(lanes, digits)), 10000);
    const __m512d scale = _mm512_permutexvar_pd(_mm512_cvtepu8_epi64(decimals), inverse);
    const auto minus = static_cast<__mmask8>(block.minus >> from);
    const auto valid = static_cast<__mmask8>(_bzhi_u32(0xFF, block.count - from));
    const __mmask8 doubt = store(whole, scale, minus, valid, out + from);
    if (doubt != 0) {
      return from + _tzcnt_u32(doubt);
    }
    used += static_cast<unsigned>(_mm_popcnt_u64(lanes));
  }
  return block.count;
}

// The same for numbers up to kMiddle digits, four at a time.
template <typename Number>
unsigned convert_middle(const Block& block, Number* out) noexcept {
  const __m512d inverse[] = {_mm512_loadu_pd(kInverse), _mm512_loadu_pd(kInverse + 8)};
  const __m512i even = _mm512_set_epi64(0, 0, 0, 0, 6, 4, 2, 0);
  unsigned used = 0;
  for (unsigned from = 0; from < block.count; from += 4) {
    const __m128i size = _mm_cvtepu8_epi16(_mm_loadu_si32(block.size + from));
    const __m128i lane =
        _mm_sllv_epi16(_mm_set1_epi16(-1), _mm_sub_epi16(_mm_set1_epi16(16), size));
    const auto lanes = static_cast<Mask>(_mm_cvtsi128_si64(lane));
    const __m512i parts = join_eights(lanes, drop_front(block.digits, used));
    const __m512i whole = _mm512_permutexvar_epi64(even, parts);
    const __m512i decimals = _mm512_cvtepu8_epi64(_mm_loadu_si32(block.decimals + from));
    const __m512d scale = _mm512_permutex2var_pd(inverse[0], decimals, inverse[1]);
    const auto minus = static_cast<__mmask8>(block.minus >> from);
    const auto valid = static_cast<__mmask8>(_bzhi_u32(0xF, block.count - from));
    const __mmask8 doubt = store(whole, scale, minus, valid, out + from);
    if (doubt != 0) {
      return from + _tzcnt_u32(doubt);
    }
    used += static_cast<unsigned>(_mm_popcnt_u64(lanes));
  }
  return block.count;
}

// The same for numbers up to kWide digits, two at a time. One that is longer is left to the scalar
// version.
template <typename Number>
unsigned convert_wide(const Block& block, Number* out) noexcept {
  const __m512i sixteens = _mm512_set1_epi64(10000000000000000);
  const __m512i uppers = _mm512_set_epi64(0, 0, 0, 0, 0, 0, 4, 0);
  const __m512i lowers = _mm512_set_epi64(0, 0, 0, 0, 0, 0, 6, 2);
  unsigned used = 0;
  for (unsigned from = 0; from < block.count; from += 2) {
    const unsigned size[] = {block.size[from], block.size[from + 1]};
    if (size[0] > kWide<Number> || size[1] > kWide<Number>) {
      return from;
    }
    const Mask lanes = ((~Mask{0} << 32) >> size[0] & 0xFFFFFFFF) | ~(~Mask{0} >> size[1]);
    const __m512i parts = join_eights(lanes, drop_front(block.digits, used));
    const __m512i upper = _mm512_permutexvar_epi64(uppers, parts);
    const __m512i lower = _mm512_permutexvar_epi64(lowers, parts);
    const __m512i whole = _mm512_add_epi64(_mm512_mullo_epi64(upper, sixteens), lower);
    const __m128d scale =
        _mm_set_pd(kInverse[block.decimals[from + 1]], kInverse[block.decimals[from]]);
    const auto minus = static_cast<__mmask8>(block.minus >> from);
    const auto valid = static_cast<__mmask8>(_bzhi_u32(3, block.count - from));
    const __mmask8 doubt = store(whole, _mm512_zextpd128_pd512(scale), minus, valid, out + from);
    if (doubt != 0) {
      return from + _tzcnt_u32(doubt);
    }
    used += size[0] + size[1];
  }
  return block.count;
}

template <typename Number>
unsigned convert(const Block& block, Number* out) noexcept {
  if (block.longer_than_narrow == 0) {
    return convert_narrow(block, out);
  }
  return block.longer_than_middle == 0 ? convert_middle(block, out) : convert_wide(block, out);
}

struct Progress {
  const char* stop;   // where the next number begins, or the ']'
  std::size_t count;  // of numbers written
  bool closed;        // it is the ']'
};

// Plain numbers up to the first that is not one. A function of its own, for with a call inside the
// loop the compiler would not keep the constants in registers.
template <typename Number>
[[gnu::noinline]] Progress parse_plain(const char* p,
                                       const char* end,
                                       Number* out,
                                       std::size_t capacity) noexcept {
  const Constants all;
  std::size_t count = 0;
  for (;;) {
    Block block;
    scan<kIsFloat<Number>>(p, end, all, block);
    if (block.count == 0 || block.count > capacity - count) {
      return {p, count, false};
    }
    const unsigned done = convert(block, out + count);
    count += done;
    if (done != block.count) {
      return {p + block.first[done] - (block.minus >> done & 1), count, false};
    }
    p += block.consumed;
    if (block.closed) {
      return {p, count, true};
    }
  }
}

ParseResult parse_odd(const char* p, const char* end, float* out, std::size_t capacity) noexcept {
  return kScalarParse.parse_float32(p, end, out, capacity);
}

ParseResult parse_odd(const char* p,
                      const char* end,
                      std::int64_t* out,
                      std::size_t capacity) noexcept {
  return kScalarParse.parse_int64(p, end, out, capacity);
}

// How many numbers the scalar version gets next.
std::size_t next_run(std::size_t run, bool some_plain) noexcept {
  if (some_plain) {
    return kOdd;
  }
  return run < kMostOdd ? 2 * run : run;
}

template <typename Number>
ParseResult parse(const char* begin, const char* end, Number* out, std::size_t capacity) noexcept {
  std::size_t count = 0;
  std::size_t run = kOdd;
  for (const char* p = begin;;) {
    const Progress plain = parse_plain(p, end, out + count, capacity - count);
    count += plain.count;
    if (plain.closed) {
      return {plain.stop, count, ParseError::kNone};
    }
    run = next_run(run, plain.count != 0);
    const std::size_t left = capacity - count;
    const ParseResult odd = parse_odd(plain.stop, end, out + count, left < run ? left : run);
    const bool behind_comma = count != 0;
    count += odd.count;
    if (odd.error != ParseError::kCapacity || count == capacity) {
      const bool missing = behind_comma && odd.count == 0 && odd.error == ParseError::kNone;
      return {odd.stop, count, missing ? ParseError::kSyntax : odd.error};
    }
    p = odd.stop;
  }
}

}  // namespace

constinit const Table kAvx512Parse = {
    .name = "avx512", .parse_float32 = parse<float>, .parse_int64 = parse<std::int64_t>};

}  // namespace maas::kernels
