// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "maas/tensor/dtype.h"
#include "maas/tensor/shape.h"

namespace maas {

// A dense row-major array of one dtype. Copying a Tensor shares its memory; the memory lives as
// long as the last Tensor that names it. It either owns what it allocated (64-byte aligned) or
// borrows memory that `owner` keeps alive. A value; two threads may read the same memory, and
// nobody writes to it once it was handed on.
class Tensor {
 public:
  Tensor() = default;  // no memory, shape [0] of kFloat32

  // Uninitialised memory (empty strings for kBytes). Throws invalid_argument for a shape with a
  // negative dimension or one too large to address.
  static Tensor allocate(DType dtype, const Shape& shape);
  static Tensor zeros(DType dtype, const Shape& shape);
  // `data` holds the shape's elements and is kept alive by `owner`.
  static Tensor borrow(DType dtype, const Shape& shape, void* data, std::shared_ptr<void> owner);
  // Takes the strings; their number must be the shape's product.
  static Tensor from_strings(std::vector<std::string> values, const Shape& shape);

  // A Tensor without memory stands for an optional input that a request leaves out.
  [[nodiscard]] bool is_absent() const noexcept { return data_ == nullptr && owner_ == nullptr; }

  [[nodiscard]] DType dtype() const noexcept { return dtype_; }
  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::size_t elements() const noexcept { return elements_; }
  [[nodiscard]] std::size_t byte_size() const noexcept { return elements_ * dtype_size(dtype_); }

  // With what strings hold outside their elements.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

  [[nodiscard]] const void* data() const noexcept { return data_; }
  [[nodiscard]] void* mutable_data() noexcept { return data_; }
  // REQUIRES: T is the C++ type of dtype()
  template <typename T>
  [[nodiscard]] std::span<const T> values() const noexcept {
    return {static_cast<const T*>(data_), elements_};
  }
  template <typename T>
  [[nodiscard]] std::span<T> mutable_values() noexcept {
    return {static_cast<T*>(data_), elements_};
  }
  [[nodiscard]] std::span<const std::string> strings() const noexcept {
    return values<std::string>();
  }

  // The same memory under another shape of as many elements; throws invalid_argument otherwise.
  [[nodiscard]] Tensor reshaped(const Shape& shape) const;
  // Rows [first, first + count) of the leading dimension: the same memory.
  // REQUIRES: rank >= 1 and the rows exist
  [[nodiscard]] Tensor rows(std::int64_t first, std::int64_t count) const;

 private:
  Tensor(DType dtype, const Shape& shape, std::size_t elements);

  DType dtype_ = DType::kFloat32;
  Shape shape_{0};
  std::size_t elements_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

// Stacks tensors along their leading dimension. All have the same dtype and the same other
// dimensions (throws invalid_argument otherwise). One tensor is returned as it is.
Tensor concat_rows(std::span<const Tensor> parts);

}  // namespace maas
