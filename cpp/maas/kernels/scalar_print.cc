// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>

#include "maas/kernels/parts.h"
#include "maas/kernels/powers_of_ten.h"

// Values to JSON numbers. The shortest digits of a float are found with the method of R. Giulietti,
// "The Schubfach way to render doubles" (2020), in the size for float32: three products of 64 by 32
// bits with a power of ten tell which decimals lie between the two neighbours' midpoints.
namespace maas::kernels {
namespace {

constexpr std::uint32_t kSmallPowers[] = {1,      10,      100,      1000,      10000,
                                          100000, 1000000, 10000000, 100000000, 1000000000};

// digits * 10^exponent
struct Decimal {
  std::uint32_t digits;
  int exponent;
};

// The upper 64 of the 96 bits of power * value, the last bit set when any lower one is.
std::uint32_t round_to_odd(std::uint64_t power, std::uint32_t value) noexcept {
  const std::uint64_t low = (power & 0xFFFFFFFF) * value;
  const std::uint64_t high = (power >> 32) * value + (low >> 32);
  return static_cast<std::uint32_t>(high >> 32) | ((high & 0xFFFFFFFF) > 1 ? 1U : 0U);
}

// The candidate that lies between the bounds: a multiple of ten if there is one (its zero is cut
// off later), of two the nearer, of two as near the even one. Without branches, for no processor
// can foresee which way a random number goes.
std::uint32_t choose(std::uint32_t below, std::uint32_t value, std::uint32_t above) noexcept {
  const std::uint32_t floor = value / 4;
  const std::uint32_t tens = floor / 10 * 10;
  const std::uint32_t low_tens = below <= 4 * tens ? 1 : 0;
  const std::uint32_t high_tens = 4 * tens + 40 <= above ? 1 : 0;
  const std::uint32_t low = below <= 4 * floor ? 1 : 0;
  const std::uint32_t high = 4 * floor + 4 <= above ? 1 : 0;
  const std::uint32_t nearer_high = (value & 3) + (floor & 1) > 2 ? 1 : 0;
  const std::uint32_t one_fits = low ^ high;
  const std::uint32_t ones = floor + (one_fits & high) + ((one_fits ^ 1) & nearer_high);
  const std::uint32_t use_tens = 0 - ((low_tens ^ high_tens) & (floor >= 10 ? 1U : 0U));
  return ones ^ ((ones ^ (tens + 10 * high_tens)) & use_tens);
}

// REQUIRES: bits of a finite float greater than 0
Decimal shortest(std::uint32_t bits) noexcept {
  const std::uint32_t fraction = bits & 0x7FFFFF;
  const auto biased = static_cast<int>(bits >> 23);
  const std::uint32_t significand = biased != 0 ? fraction | 0x800000 : fraction;
  const int q = (biased != 0 ? biased : 1) - 150;  // the value is significand * 2^q
  if (q <= 0 && q > -24 && (significand & ((1U << -q) - 1)) == 0) {
    return {significand >> -q, 0};
  }
  const bool closer_below = fraction == 0 && biased > 1;
  const int k = (q * 1262611 - (closer_below ? 524031 : 0)) >> 22;  // floor(log10 of the interval)
  const int h = q + ((-k * 1741647) >> 19) + 1;                     // floor(log2(10^-k)) + q + 1
  const std::uint64_t power = kPowersOfTen.of[-k - kMinPower];
  const std::uint32_t centre = significand * 4;
  const std::uint32_t odd = significand & 1;  // the bounds themselves round to an even float only
  const std::uint32_t below = round_to_odd(power, (centre - (closer_below ? 1 : 2)) << h) + odd;
  const std::uint32_t above = round_to_odd(power, (centre + 2) << h) - odd;
  return {choose(below, round_to_odd(power, centre << h), above), k};
}

int count_digits(std::uint32_t value) noexcept {
  const int guess = (static_cast<int>(std::bit_width(value | 1)) * 1233) >> 12;
  return guess + (value >= kSmallPowers[guess] ? 1 : 0);
}

// Eight decimal digits, one a byte, the first in the lowest.
std::uint64_t eight_digits(std::uint32_t value) noexcept {
  const std::uint64_t fours = value / 10000 | std::uint64_t{value % 10000} << 32;
  const std::uint64_t hundreds = ((fours * 10486) >> 20) & 0x0000007F0000007F;
  const std::uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
  const std::uint64_t tens = ((twos * 103) >> 10) & 0x000F000F000F000F;
  return tens | (twos - tens * 10) << 8;
}

void store_text(char* out, std::uint64_t digits) noexcept {
  digits |= 0x3030303030303030;
  if constexpr (std::endian::native == std::endian::big) {
    digits = __builtin_bswap64(digits);
  }
  std::memcpy(out, &digits, 8);
}

// A number as nine significant digits: first.rest * 10^exponent.
struct Scientific {
  std::uint32_t first;
  std::uint64_t rest;  // one digit a byte
  int used;            // digits of `rest` before its trailing zeros
  int exponent;
};

Scientific normalise(Decimal decimal) noexcept {
  const int count = count_digits(decimal.digits);
  const std::uint32_t nine = decimal.digits * kSmallPowers[9 - count];
  const std::uint32_t first = nine / 100000000;
  const std::uint64_t rest = eight_digits(nine - first * 100000000);
  const int used = 8 - std::countl_zero(rest) / 8;
  return {first, rest, used, decimal.exponent + count - 1};
}

char* print_small(const Scientific& number, char* out) noexcept {
  std::copy_n("0.000000", 8, out);
  out += 1 - number.exponent;
  *out = static_cast<char>('0' + number.first);
  store_text(out + 1, number.rest);
  return out + 1 + number.used;
}

char* print_large(const Scientific& number, char* out) noexcept {
  *out = static_cast<char>('0' + number.first);
  store_text(out + 1, number.rest);
  out += number.exponent + 1;
  *out = '.';
  const int half = 4 * number.exponent;  // in two steps, for 64 bits cannot be shifted at once
  store_text(out + 1, number.rest >> half >> half);
  const int decimals = number.used - number.exponent;
  return out + 1 + (decimals > 1 ? decimals : 1);
}

char* print_exponent(const Scientific& number, char* out) noexcept {
  *out = static_cast<char>('0' + number.first);
  out[1] = '.';
  store_text(out + 2, number.rest);
  out += number.used == 0 ? 1 : 2 + number.used;
  *out++ = 'e';
  if (number.exponent < 0) {
    *out++ = '-';
  }
  const auto size = static_cast<unsigned>(number.exponent < 0 ? -number.exponent : number.exponent);
  if (size >= 10) {
    *out++ = static_cast<char>('0' + size / 10);
  }
  *out = static_cast<char>('0' + size % 10);
  return out + 1;
}

char* print(float value, char* out) noexcept {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  *out = '-';
  out += bits >> 31;
  bits &= 0x7FFFFFFF;
  if (bits == 0) {
    std::copy_n("0.0", 3, out);
    return out + 3;
  }
  const Scientific number = normalise(shortest(bits));
  if (number.exponent < kFixedFrom || number.exponent > kFixedTo) {
    return print_exponent(number, out);
  }
  return number.exponent < 0 ? print_small(number, out) : print_large(number, out);
}

bool is_finite(float value) noexcept {
  return (std::bit_cast<std::uint32_t>(value) & 0x7F800000) != 0x7F800000;
}

PrintResult print_float32(const float* in, std::size_t n, char* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_finite(in[i])) {
      return {out, i};
    }
    *out = ',';
    out = print(in[i], out + (i != 0 ? 1 : 0));
  }
  return {out, n};
}

// The digits of a number below 10^8 without leading zeros.
char* print_short(std::uint32_t value, char* out) noexcept {
  const std::uint64_t digits = eight_digits(value);
  const int zeros = std::countr_zero(digits | 1ULL << 56) / 8;
  store_text(out, digits >> (8 * zeros));
  return out + 8 - zeros;
}

char* print(std::int64_t value, char* out) noexcept {
  *out = '-';
  out += value < 0 ? 1 : 0;
  auto rest = static_cast<std::uint64_t>(value);
  rest = value < 0 ? 0 - rest : rest;
  if (rest < 10) {
    *out = static_cast<char>('0' + rest);
    return out + 1;
  }
  constexpr std::uint64_t kEight = 100000000;
  if (rest < kEight) {
    return print_short(static_cast<std::uint32_t>(rest), out);
  }
  const std::uint64_t upper = rest / kEight;
  if (upper < kEight) {
    out = print_short(static_cast<std::uint32_t>(upper), out);
  } else {
    out = print_short(static_cast<std::uint32_t>(upper / kEight), out);
    store_text(out, eight_digits(static_cast<std::uint32_t>(upper % kEight)));
    out += 8;
  }
  store_text(out, eight_digits(static_cast<std::uint32_t>(rest % kEight)));
  return out + 8;
}

PrintResult print_int64(const std::int64_t* in, std::size_t n, char* out) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    *out = ',';
    out = print(in[i], out + (i != 0 ? 1 : 0));
  }
  return {out, n};
}

}  // namespace

constinit const Table kScalarPrint = {
    .name = "scalar", .print_float32 = print_float32, .print_int64 = print_int64};

}  // namespace maas::kernels
