// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace maas {

// The dimensions of a tensor, or of a declaration where -1 stands for "any". A value of fixed size:
// copying one allocates nothing.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Shape() = default;  // rank 0: a scalar
  // Throw invalid_argument beyond kMaxRank.
  Shape(std::initializer_list<std::int64_t> dims);
  explicit Shape(std::span<const std::int64_t> dims);

  [[nodiscard]] std::size_t rank() const noexcept { return rank_; }
  [[nodiscard]] std::span<const std::int64_t> dims() const noexcept {
    return {dims_.data(), rank_};
  }
  std::int64_t operator[](std::size_t axis) const noexcept { return dims_[axis]; }
  void set(std::size_t axis, std::int64_t size) noexcept { dims_[axis] = size; }
  // Throws invalid_argument beyond kMaxRank.
  void push_back(std::int64_t size);

  // This shape behind a leading dimension, and without its first one.
  [[nodiscard]] Shape with_leading(std::int64_t size) const;
  [[nodiscard]] Shape without_leading() const;

  // Product of the dimensions; nothing when one is negative or the product overflows.
  [[nodiscard]] std::optional<std::int64_t> elements() const noexcept;
  // True when ranks agree and every dimension equals the declared one or that is -1.
  [[nodiscard]] bool fits(const Shape& declared) const noexcept;

  // "[2, -1]"
  [[nodiscard]] std::string to_string() const;

  bool operator==(const Shape& other) const noexcept;

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  std::size_t rank_ = 0;
};

}  // namespace maas
