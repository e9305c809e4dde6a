// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "maas/kernels/kernels.h"

namespace maas::kernels::testing {

// Memory that ends where the next page must not be touched: one byte read or written too far is a
// crash, also by instructions that no sanitizer watches.
class Fenced {
 public:
  explicit Fenced(std::size_t size);
  explicit Fenced(std::string_view text);
  ~Fenced();
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;

  [[nodiscard]] char* begin() const noexcept { return end_ - size_; }
  [[nodiscard]] char* end() const noexcept { return end_; }
  template <typename T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(begin());
  }

 private:
  void* pages_;
  std::size_t size_;
  char* end_;
};

// The table of that name, or null when this processor cannot run it.
const Table* find(std::string_view name);
const Table& scalar();

// Each compares a table with scalar over sizes 0 to 67, odd alignments and awkward values.
void expect_same_softmax(const Table& table);
void expect_same_argmax(const Table& table);
void expect_same_top_k(const Table& table);
void expect_same_image(const Table& table);
void expect_same_scale_shift(const Table& table);
void expect_same_l2_normalise(const Table& table);
void expect_same_mean_pool(const Table& table);

// Texts made of numbers and of damage to them: values, count, error and place must agree.
void expect_same_parse(const Table& table);
void expect_same_errors(const Table& table);
void expect_same_lengths(const Table& table);
void expect_same_rounding(const Table& table);
void expect_same_print(const Table& table);

}  // namespace maas::kernels::testing
