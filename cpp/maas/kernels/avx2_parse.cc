// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "maas/kernels/number_marks.h"
#include "maas/kernels/parts.h"

// JSON numbers: bit masks find and check the numbers of 64 characters at once, then a shuffle
// brings the digits of each into line for one conversion of 16. Whatever is not a plain number
// (exponents, odd white space, very long numbers, errors) goes to the scalar version.
namespace maas::kernels {
namespace {

constexpr std::ptrdiff_t kBlock = 64;
constexpr std::ptrdiff_t kReach = 16;  // characters read from the first digit of a number on
constexpr unsigned kShort = 15;        // digits that, with a dot, fit in kReach
constexpr unsigned kLong = 19;         // digits that fit in 64 bits
// How many numbers the scalar version gets before a block is tried again, and at most, where
// nothing is plain.
constexpr std::size_t kOdd = 4;
constexpr std::size_t kMostOdd = 64;

constexpr double kInverse[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
                               1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

// For each count of digits before and behind the dot: where each of 16 digits comes from, the last
// one being the last of the number, and 0x80 for none.
struct Shuffles {
  alignas(16) std::uint8_t of[16][16][16];
};

constexpr Shuffles kShuffles = [] {
  Shuffles shuffles = {};
  for (unsigned whole = 0; whole < 16; ++whole) {
    for (unsigned decimals = 0; decimals < 16; ++decimals) {
      for (unsigned i = 0; i < 16; ++i) {  // digits from the right
        unsigned from = 0x80;
        if (i < decimals) {
          from = whole + decimals - i;
        } else if (i < decimals + whole) {
          from = decimals + whole - 1 - i;
        }
        shuffles.of[whole][decimals][15 - i] = static_cast<std::uint8_t>(from);
      }
    }
  }
  return shuffles;
}();

std::uint64_t both(__m256i low, __m256i high) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

Kinds classify(const char* text) noexcept {
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
  const auto equal = [low, high](char c) {
    const __m256i all = _mm256_set1_epi8(c);
    return both(_mm256_cmpeq_epi8(low, all), _mm256_cmpeq_epi8(high, all));
  };
  const auto digit = [](__m256i characters) {
    const __m256i value = _mm256_sub_epi8(characters, _mm256_set1_epi8('0'));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
  };
  return {both(digit(low), digit(high)),
          equal('0'),
          equal(','),
          equal(']'),
          equal('.'),
          equal('-'),
          equal(' ')};
}

// The value of 16 digits, the first in the lowest byte.
std::uint64_t sixteen_digits(__m128i digits) noexcept {
  const __m128i twos = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
  const __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(0x00010064));
  const __m128i words = _mm_packus_epi32(fours, fours);
  const __m128i eights = _mm_madd_epi16(words, _mm_set1_epi32(0x00012710));
  const auto pair = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (pair & 0xFFFFFFFF) * 100000000 + (pair >> 32);
}

__m128i load_digits(const char* p) noexcept {
  return _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi8('0'));
}

// One plain number: `whole` digits at `first`, and if there are `decimals` a dot and these.
struct Plain {
  const char* first;
  unsigned whole;
  unsigned decimals;
  bool minus;
};

// The digits as one value; false when they are more than this file converts.
bool read_digits(const Plain& number, std::uint64_t& value) noexcept {
  if (number.whole + number.decimals <= kShort) {
    const auto* const order = kShuffles.of[number.whole][number.decimals];
    value = sixteen_digits(_mm_shuffle_epi8(
        load_digits(number.first), _mm_load_si128(reinterpret_cast<const __m128i*>(order))));
    return true;
  }
  if (number.whole + number.decimals > kLong || number.decimals < 16) {
    return false;
  }
  const char* const last = number.first + number.whole + 1 + number.decimals - 16;
  value = 0;
  for (const char* p = number.first; p != last; ++p) {
    value = *p == '.' ? value : value * 10 + static_cast<unsigned char>(*p - '0');
  }
  value = value * 10000000000000000 + sixteen_digits(load_digits(last));
  return true;
}

// False when the double is so near the middle of two floats that its own rounding may have decided
// the last bit; see round_quickly in scalar_parse.cc.
bool convert(const Plain& number, float& out) noexcept {
  std::uint64_t digits = 0;
  if (!read_digits(number, digits)) {
    return false;
  }
  const double value = static_cast<double>(digits) * kInverse[number.decimals];
  const __m128d lane = _mm_set_sd(value);
  const auto bits = static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_castpd_si128(lane)));
  const __m128 sign = _mm_castsi128_ps(_mm_cvtsi32_si128(number.minus ? 1 << 31 : 0));
  _mm_store_ss(&out, _mm_xor_ps(_mm_cvtpd_ps(lane), sign));
  return (bits & 0x1FFFFFFF) - (0x10000000 - 8) > 16;
}

bool convert(const Plain& number, std::int64_t& out) noexcept {
  std::uint64_t digits = 0;
  if (number.whole > kShort || !read_digits(number, digits)) {
    return false;
  }
  const auto value = static_cast<std::int64_t>(digits);
  out = number.minus ? -value : value;
  return true;
}

struct Progress {
  const char* stop;   // where the next number begins, or the ']'
  std::size_t count;  // of numbers written
  bool closed;        // it is the ']'
};

template <typename Number>
constexpr bool kHasDots = false;
template <>
constexpr bool kHasDots<float> = true;

// What is left of a block's numbers, one bit each, lowest first.
struct Rest {
  std::uint64_t first, end, dot, minus;
};

// Takes the next number out; its end is the lowest bit of rest.end.
Plain take(const char* text, Rest& rest, unsigned end) noexcept {
  const auto first = static_cast<unsigned>(_tzcnt_u64(rest.first));
  const auto dot = static_cast<unsigned>(_tzcnt_u64(rest.dot));
  const bool has_dot = dot < end;
  rest.dot = has_dot ? _blsr_u64(rest.dot) : rest.dot;
  rest.first = _blsr_u64(rest.first);
  rest.end = _blsr_u64(rest.end);
  return {text + first, (has_dot ? dot : end) - first, has_dot ? end - dot - 1 : 0,
          (rest.minus << 1 >> first & 1) != 0};
}

template <typename Number>
Rest scan(const char* text) noexcept {
  const Kinds is = classify(text);
  const Marks marks = mark_numbers<kHasDots<Number>>(is);
  const std::uint64_t right = ~marks.wrong & (marks.wrong - 1);
  const std::uint64_t end = marks.end & right & _blsmsk_u64(is.close);
  return {marks.first, end, kHasDots<Number> ? is.dot : 0, marks.minus};
}

// Converts the numbers of the block at `text`, adding to `done`; false when it stops before one
// that is not plain or has no room.
template <typename Number>
[[gnu::always_inline]] inline bool convert_block(
    const char* text, Rest rest, Number* out, std::size_t capacity, Progress& done) noexcept {
  while (rest.end != 0) {
    const auto stop = static_cast<unsigned>(_tzcnt_u64(rest.end));
    const Plain number = take(text, rest, stop);
    const bool two_dots = _tzcnt_u64(rest.dot) < stop;
    if (two_dots || done.count == capacity || !convert(number, out[done.count])) {
      done.stop = number.first - (number.minus ? 1 : 0);
      return false;
    }
    ++done.count;
    done.stop = text + stop + 1;
  }
  return true;
}

// Plain numbers up to the first that is not one. A function of its own, for with a call inside the
// loop the compiler would not keep the constants in registers.
template <typename Number>
[[gnu::noinline]] Progress parse_plain(const char* p,
                                       const char* end,
                                       Number* out,
                                       std::size_t capacity) noexcept {
  Progress done = {p, 0, false};
  while (end - done.stop >= kBlock + kReach) {
    const Rest rest = scan<Number>(done.stop);
    if (rest.end == 0 || !convert_block(done.stop, rest, out, capacity, done)) {
      break;
    }
    if (done.stop[-1] == ']') {
      return {done.stop - 1, done.count, true};
    }
  }
  return done;
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

constinit const Table kAvx2Parse = {
    .name = "avx2", .parse_float32 = parse<float>, .parse_int64 = parse<std::int64_t>};

}  // namespace maas::kernels
