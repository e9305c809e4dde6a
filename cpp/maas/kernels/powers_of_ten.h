// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// The table by which the shortest digits of a float32 are found, computed by the compiler. All of
// it is constant or has internal linkage, for the reason in top_k_heap.h.
namespace maas::kernels {

inline constexpr int kFixedFrom = -4;  // exponents of the numbers that are written without 'e'
inline constexpr int kFixedTo = 8;

inline constexpr int kMinPower = -31;
inline constexpr int kMaxPower = 45;

struct PowersOfTen {
  std::uint64_t of[kMaxPower - kMinPower + 1];  // 10^(kMinPower + i) * 2^s, rounded up to 64 bits
};

// A whole number of 192 bits, least word first: enough to compute the table exactly.
struct Wide {
  static constexpr std::size_t kWords = 6;
  std::uint32_t words[kWords];

  constexpr void multiply(std::uint32_t factor) {
    std::uint64_t carry = 0;
    for (std::uint32_t& word : words) {
      carry += std::uint64_t{word} * factor;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
  }

  // Returns the remainder.
  constexpr std::uint32_t divide(std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (std::size_t i = kWords; i-- > 0;) {
      rest = (rest << 32) | words[i];
      words[i] = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    return static_cast<std::uint32_t>(rest);
  }
};

// The 64 leading bits of `wide`, rounded up when anything is cut off or `inexact` is set.
static consteval std::uint64_t leading_bits(Wide wide, bool inexact) {
  while ((wide.words[5] >> 31) == 0) {
    wide.multiply(2);
  }
  const std::uint64_t top = (std::uint64_t{wide.words[5]} << 32) | wide.words[4];
  const bool cut = inexact || (wide.words[0] | wide.words[1] | wide.words[2] | wide.words[3]) != 0;
  return top + (cut ? 1 : 0);
}

static consteval std::uint64_t power_of_ten(int power) {
  Wide wide = {};
  bool inexact = false;
  wide.words[power >= 0 ? 0 : 5] = power >= 0 ? 1 : 1U << 31;
  for (int i = 0; i < power; ++i) {
    wide.multiply(10);
  }
  for (int i = 0; i > power; --i) {
    inexact = wide.divide(10) != 0 || inexact;
  }
  return leading_bits(wide, inexact);
}

static consteval PowersOfTen powers_of_ten() {
  PowersOfTen powers = {};
  for (int power = kMinPower; power <= kMaxPower; ++power) {
    powers.of[power - kMinPower] = power_of_ten(power);
  }
  return powers;
}

static constexpr PowersOfTen kPowersOfTen = powers_of_ten();

}  // namespace maas::kernels
