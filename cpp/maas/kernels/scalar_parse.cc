// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <system_error>

#include "maas/kernels/parts.h"

// JSON numbers to values, eight digits at a time inside a 64-bit word. The vector versions hand
// here whatever is not a plain short number.
namespace maas::kernels {
namespace {

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kWholePowers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
constexpr std::int64_t kMaxWordDigits = 19;  // any 19 digits fit in 64 bits

// A number as it is written: (-1)^negative * digits * 10^exponent.
struct Decimal {
  std::uint64_t digits = 0;  // meaningful up to kMaxWordDigits
  std::int64_t count = 0;    // of digits, leading zeros included
  std::int64_t exponent = 0;
  bool negative = false;
};

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char* skip_space(const char* p, const char* end) noexcept {
  while (p != end && is_space(*p)) {
    ++p;
  }
  return p;
}

// Eight digits, the first in the lowest byte, each byte 0..9.
std::uint64_t eight_digits(std::uint64_t word) noexcept {
  word = word * 10 + (word >> 8);
  constexpr std::uint64_t kPairs = 0x000000FF000000FF;
  const std::uint64_t high = (word & kPairs) * 0x000F424000000064;         // 100 + (1000000 << 32)
  const std::uint64_t low = ((word >> 16) & kPairs) * 0x0000271000000001;  // 1 + (10000 << 32)
  return (high + low) >> 32;
}

// Appends the digits at p to `value` (modulo 2^64) and returns where they end.
const char* read_digits(const char* p, const char* end, std::uint64_t& value) noexcept {
  while (std::endian::native == std::endian::little && end - p >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    word ^= 0x3030303030303030;
    // A carry out of one byte disturbs only the bytes behind it, and the first is what counts.
    const std::uint64_t other = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
    if (other != 0) {
      const int bits = std::countr_zero(other) & ~7;
      value =
          bits == 0 ? value : value * kWholePowers[bits / 8] + eight_digits(word << (64 - bits));
      return p + bits / 8;
    }
    value = value * 100000000 + eight_digits(word);
    p += 8;
  }
  for (; p != end && is_digit(*p); ++p) {
    value = value * 10 + static_cast<std::uint64_t>(*p - '0');
  }
  return p;
}

// "-"? int; null when that is not what stands at p.
const char* read_integer(const char* p, const char* end, Decimal& number) noexcept {
  number.negative = p != end && *p == '-';
  p += number.negative ? 1 : 0;
  const char* const stop = read_digits(p, end, number.digits);
  number.count = stop - p;
  const bool leading_zero = number.count > 1 && *p == '0';
  return number.count == 0 || leading_zero ? nullptr : stop;
}

// The part behind 'e', into number.exponent; null when malformed.
const char* read_exponent(const char* p, const char* end, Decimal& number) noexcept {
  const bool negative = p != end && *p == '-';
  p += p != end && (*p == '-' || *p == '+') ? 1 : 0;
  if (p == end || !is_digit(*p)) {
    return nullptr;
  }
  constexpr std::int64_t kEnough = 1000000000000;  // beyond any count of digits in memory
  std::int64_t exponent = 0;
  for (; p != end && is_digit(*p); ++p) {
    exponent = exponent < kEnough ? exponent * 10 + (*p - '0') : exponent;
  }
  number.exponent += negative ? -exponent : exponent;
  return p;
}

const char* read_decimal(const char* p, const char* end, Decimal& number) noexcept {
  p = read_integer(p, end, number);
  if (p != nullptr && p != end && *p == '.') {
    const char* const fraction = ++p;
    p = read_digits(p, end, number.digits);
    number.count += p - fraction;
    number.exponent = fraction - p;
    p = p == fraction ? nullptr : p;
  }
  if (p != nullptr && p != end && (*p == 'e' || *p == 'E')) {
    p = read_exponent(p + 1, end, number);
  }
  return p;
}

// digits * 10^exponent when a double tells to which float32 it rounds; false when it may not.
bool round_quickly(const Decimal& number, float& out) noexcept {
  if (number.count > kMaxWordDigits || number.exponent < -22 || number.exponent > 18) {
    return false;
  }
  double value = static_cast<double>(number.digits);
  value = number.exponent < 0 ? value / kPowersOfTen[-number.exponent]
                              : value * kPowersOfTen[number.exponent];
  // Two roundings put `value` at most two steps from the truth. Only near the middle between two
  // floats, where the 29 bits that are cut off are about a half, can that change the result.
  constexpr std::uint64_t kCut = 0x1FFFFFFF;
  constexpr std::uint64_t kHalf = 0x10000000;
  if ((std::bit_cast<std::uint64_t>(value) & kCut) - (kHalf - 8) <= 16) {
    return false;
  }
  const float rounded = static_cast<float>(value);
  out = number.negative ? -rounded : rounded;
  return true;
}

// Where the first nonzero digit stands: the exponent of the number in scientific notation.
// REQUIRES: there is such a digit
std::int64_t magnitude(const char* p, const Decimal& number) noexcept {
  std::int64_t zeros = 0;
  for (; *p < '1' || *p > '9'; ++p) {
    zeros += *p == '0' ? 1 : 0;
  }
  return number.count - zeros - 1 + number.exponent;
}

ParseError round_exactly(const char* p,
                         const char* stop,
                         const Decimal& number,
                         float& out) noexcept {
  if (std::from_chars(p, stop, out).ec != std::errc::result_out_of_range) {
    return ParseError::kNone;
  }
  if (magnitude(p, number) > 0) {  // from_chars does not say on which side it is out of range
    return ParseError::kOutOfRange;
  }
  out = number.negative ? -0.0F : 0.0F;
  return ParseError::kNone;
}

// Each read() parses one number at p: its end, or an error.
struct Read {
  const char* stop;
  ParseError error;
};

Read read(const char* p, const char* end, float& out) noexcept {
  Decimal number;
  const char* const stop = read_decimal(p, end, number);
  if (stop == nullptr) {
    return {p, ParseError::kSyntax};
  }
  if (round_quickly(number, out)) {
    return {stop, ParseError::kNone};
  }
  return {stop, round_exactly(p, stop, number, out)};
}

Read read(const char* p, const char* end, std::int64_t& out) noexcept {
  Decimal number;
  const char* const stop = read_integer(p, end, number);
  if (stop == nullptr) {
    return {p, ParseError::kSyntax};
  }
  if (stop != end && (*stop == '.' || *stop == 'e' || *stop == 'E')) {
    return {p, ParseError::kNotInteger};
  }
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (number.count > kMaxWordDigits || number.digits > kMax + (number.negative ? 1 : 0)) {
    return {p, ParseError::kOutOfRange};
  }
  out = static_cast<std::int64_t>(number.negative ? 0 - number.digits : number.digits);
  return {stop, ParseError::kNone};
}

template <typename Number>
ParseResult parse(const char* begin, const char* end, Number* out, std::size_t capacity) noexcept {
  const char* p = skip_space(begin, end);
  for (std::size_t count = 0;;) {
    if (p == end || (*p != '-' && !is_digit(*p))) {
      return {p, count, count == 0 ? ParseError::kNone : ParseError::kSyntax};
    }
    if (count == capacity) {
      return {p, count, ParseError::kCapacity};
    }
    const Read number = read(p, end, out[count]);
    if (number.error != ParseError::kNone) {
      return {p, count, number.error};
    }
    ++count;
    p = skip_space(number.stop, end);
    if (p == end || *p != ',') {
      return {p, count, ParseError::kNone};
    }
    p = skip_space(p + 1, end);
  }
}

}  // namespace

constinit const Table kScalarParse = {
    .name = "scalar", .parse_float32 = parse<float>, .parse_int64 = parse<std::int64_t>};

}  // namespace maas::kernels
