// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/shape.h"

#include <algorithm>

#include "maas/base/checked.h"
#include "maas/base/error.h"

namespace maas {

Shape::Shape(std::initializer_list<std::int64_t> dims)
    : Shape(std::span<const std::int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const std::int64_t> dims) {
  for (const std::int64_t size : dims) {
    push_back(size);
  }
}

void Shape::push_back(std::int64_t size) {
  if (rank_ == kMaxRank) {
    throw Error(ErrorCode::kInvalidArgument, "a shape may have at most 8 dimensions");
  }
  dims_[rank_++] = size;
}

Shape Shape::with_leading(std::int64_t size) const {
  Shape shape{size};
  for (const std::int64_t d : dims()) {
    shape.push_back(d);
  }
  return shape;
}

Shape Shape::without_leading() const {
  return rank_ == 0 ? Shape{} : Shape(dims().subspan(1));
}

std::optional<std::int64_t> Shape::elements() const noexcept {
  std::optional<std::int64_t> product = 1;
  for (const std::int64_t size : dims()) {
    product = checked_multiply(*product, size);
    if (!product) {
      return std::nullopt;
    }
  }
  return product;
}

bool Shape::fits(const Shape& declared) const noexcept {
  return std::equal(
      dims().begin(), dims().end(), declared.dims().begin(), declared.dims().end(),
      [](std::int64_t size, std::int64_t want) { return want == -1 || size == want; });
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (std::size_t i = 0; i < rank_; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(dims_[i]);
  }
  return text + "]";
}

bool Shape::operator==(const Shape& other) const noexcept {
  return std::equal(dims().begin(), dims().end(), other.dims().begin(), other.dims().end());
}

}  // namespace maas
