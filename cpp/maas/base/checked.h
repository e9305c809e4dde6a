// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace maas {

// a * b for sizes that come from outside: nothing when a factor is negative or the product
// overflows.
[[nodiscard]] inline std::optional<std::int64_t> checked_multiply(std::int64_t a,
                                                                  std::int64_t b) noexcept {
  std::int64_t product = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product)) {
    return std::nullopt;
  }
  return product;
}

// a + b, likewise.
[[nodiscard]] inline std::optional<std::int64_t> checked_add(std::int64_t a,
                                                             std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &sum)) {
    return std::nullopt;
  }
  return sum;
}

}  // namespace maas
