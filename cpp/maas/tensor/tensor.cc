// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "maas/base/checked.h"
#include "maas/base/error.h"

namespace maas {
namespace {

constexpr std::align_val_t kAlignment{64};  // a cache line, and the widest vector register

std::shared_ptr<void> allocate_bytes(std::size_t size) {
  return {::operator new(std::max<std::size_t>(size, 1), kAlignment),
          [](void* memory) { ::operator delete(memory, kAlignment); }};
}

std::size_t checked_elements(DType dtype, const Shape& shape) {
  const auto elements = shape.elements();
  if (!elements || !checked_multiply(*elements, static_cast<std::int64_t>(dtype_size(dtype)))) {
    throw Error(ErrorCode::kInvalidArgument,
                "shape " + shape.to_string() + " has a negative or too large dimension");
  }
  return static_cast<std::size_t>(*elements);
}

}  // namespace

Tensor::Tensor(DType dtype, const Shape& shape, std::size_t elements)
    : dtype_(dtype), shape_(shape), elements_(elements) {}

Tensor Tensor::allocate(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape, checked_elements(dtype, shape));
  if (dtype == DType::kBytes) {
    return from_strings(std::vector<std::string>(tensor.elements_), shape);
  }
  tensor.owner_ = allocate_bytes(tensor.byte_size());
  tensor.data_ = tensor.owner_.get();
  return tensor;
}

Tensor Tensor::zeros(DType dtype, const Shape& shape) {
  Tensor tensor = allocate(dtype, shape);
  if (dtype != DType::kBytes) {
    std::memset(tensor.data_, 0, tensor.byte_size());
  }
  return tensor;
}

Tensor Tensor::borrow(DType dtype, const Shape& shape, void* data, std::shared_ptr<void> owner) {
  Tensor tensor(dtype, shape, checked_elements(dtype, shape));
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::from_strings(std::vector<std::string> values, const Shape& shape) {
  Tensor tensor(DType::kBytes, shape, checked_elements(DType::kBytes, shape));
  if (tensor.elements_ != values.size()) {
    throw Error(ErrorCode::kInvalidArgument, "shape " + shape.to_string() + " does not hold " +
                                                 std::to_string(values.size()) + " strings");
  }
  auto owner = std::make_shared<std::vector<std::string>>(std::move(values));
  tensor.data_ = owner->data();
  tensor.owner_ = std::move(owner);
  return tensor;
}

std::size_t Tensor::held_bytes() const noexcept {
  std::size_t bytes = byte_size();
  if (dtype_ == DType::kBytes) {
    for (const std::string& text : strings()) {
      bytes += text.size();
    }
  }
  return bytes;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  if (shape.elements() != static_cast<std::int64_t>(elements_)) {
    throw Error(ErrorCode::kInvalidArgument,
                "cannot view shape " + shape_.to_string() + " as " + shape.to_string());
  }
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

Tensor Tensor::rows(std::int64_t first, std::int64_t count) const {
  Tensor view = *this;
  const std::size_t row = shape_[0] == 0 ? 0 : elements_ / static_cast<std::size_t>(shape_[0]);
  view.shape_.set(0, count);
  view.elements_ = row * static_cast<std::size_t>(count);
  const std::size_t offset = row * static_cast<std::size_t>(first) * dtype_size(dtype_);
  view.data_ = static_cast<std::byte*>(data_) + offset;
  return view;
}

namespace {

std::string describe(const Tensor& tensor) {
  return std::string(numpy_name(tensor.dtype())) + " " + tensor.shape().to_string();
}

Shape concat_shape(std::span<const Tensor> parts) {
  Shape shape = parts.front().shape();
  std::int64_t rows = 0;
  for (const Tensor& part : parts) {
    if (part.shape().rank() == 0 || part.dtype() != parts.front().dtype() ||
        part.shape().without_leading() != shape.without_leading()) {
      throw Error(ErrorCode::kInvalidArgument,
                  "cannot stack " + describe(part) + " under " + describe(parts.front()));
    }
    rows += part.shape()[0];
  }
  shape.set(0, rows);
  return shape;
}

}  // namespace

Tensor concat_rows(std::span<const Tensor> parts) {
  if (parts.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "nothing to stack");
  }
  if (parts.size() == 1) {
    return parts.front();
  }
  Tensor out = Tensor::allocate(parts.front().dtype(), concat_shape(parts));
  if (out.dtype() == DType::kBytes) {
    auto* to = out.mutable_values<std::string>().data();
    for (const Tensor& part : parts) {
      to = std::copy(part.strings().begin(), part.strings().end(), to);
    }
    return out;
  }
  auto* to = static_cast<std::byte*>(out.mutable_data());
  for (const Tensor& part : parts) {
    if (part.byte_size() > 0) {  // no rows may also mean no memory, which memcpy must not see
      std::memcpy(to, part.data(), part.byte_size());
    }
    to += part.byte_size();
  }
  return out;
}

}  // namespace maas
