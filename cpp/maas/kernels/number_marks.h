// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The grammar of a list of plain JSON numbers, checked on bit masks: bit i stands for character i
// of a block of 64 that begins with a number. Internal linkage, for the reason in top_k_heap.h.
namespace maas::kernels {

// Where the characters of each kind are.
struct Kinds {
  std::uint64_t digit, zero, comma, close, dot, minus, space;
};

// Where the pieces of the numbers are; true only before the lowest bit of `wrong`.
struct Marks {
  std::uint64_t first;  // the first digit of each number
  std::uint64_t minus;
  std::uint64_t end;    // the comma or ']' behind it
  std::uint64_t wrong;  // no plain number ends at this place or behind it
};

// Finds all errors but a second dot in a number.
template <bool kDots>
[[maybe_unused]] static Marks mark_numbers(const Kinds& is) noexcept {
  std::uint64_t start = (is.comma << 1) | 1;
  const std::uint64_t space = start & is.space;
  start ^= space | (space << 1);
  const std::uint64_t minus = start & is.minus;
  const std::uint64_t first = start ^ (minus | (minus << 1));
  const std::uint64_t end = is.comma | is.close;
  const std::uint64_t behind_digit = is.digit << 1;
  const std::uint64_t known = is.digit | end | minus | space | (kDots ? is.dot : 0);
  std::uint64_t wrong = ~known | (first & ~is.digit) | (end & ~behind_digit);
  wrong |= first & is.zero & (is.digit >> 1);
  if constexpr (kDots) {
    wrong |= (is.dot & ~behind_digit) | ((is.dot << 1) & ~is.digit);
  }
  return {first, minus, end, wrong};
}

}  // namespace maas::kernels
