// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/pad.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "maas/base/error.h"

namespace maas {
namespace {

[[noreturn]] void refuse(DType dtype, double value) {
  throw Error(ErrorCode::kInvalidArgument, std::string(numpy_name(dtype)) + " cannot hold " +
                                               std::to_string(value) + "; choose another value");
}

template <typename T>
Element stored(DType dtype, double value) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    // Two to the power of the digits is exact as a double, and the first value beyond the range.
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    const double begin = std::numeric_limits<T>::is_signed ? -end : 0.0;
    if (!(value >= begin && value < end) || value != std::trunc(value)) {
      refuse(dtype, value);
    }
  }
  const T typed = static_cast<T>(value);
  Element element;
  element.size = sizeof(T);
  std::memcpy(element.bytes.data(), &typed, sizeof(T));
  return element;
}

Element zero(DType dtype, double value) {
  if (value != 0) {
    refuse(dtype, value);
  }
  Element element;
  element.size = dtype == DType::kBytes ? 0 : dtype_size(dtype);
  return element;
}

// How a tensor's memory looks from one of its axes: blocks of `count` runs of `inner` elements.
struct Layout {
  std::size_t blocks = 1;
  std::size_t count = 0;
  std::size_t inner = 1;
};

Layout layout_of(const Shape& shape, std::size_t axis) {
  Layout layout;
  layout.count = static_cast<std::size_t>(shape[axis]);
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    (i < axis ? layout.blocks : layout.inner) *= i == axis ? 1 : static_cast<std::size_t>(shape[i]);
  }
  return layout;
}

void fill_bytes(std::byte* to, std::size_t elements, const Element& fill) {
  const bool same = std::all_of(fill.bytes.begin() + 1, fill.bytes.begin() + fill.size,
                                [&](std::byte byte) { return byte == fill.bytes[0]; });
  if (same) {
    std::memset(to, std::to_integer<int>(fill.bytes[0]), elements * fill.size);
    return;
  }
  for (std::size_t i = 0; i < elements; ++i) {
    std::memcpy(to + i * fill.size, fill.bytes.data(), fill.size);
  }
}

Shape stacked_shape(std::span<const Tensor> parts, std::size_t axis, std::int64_t length) {
  Shape shape = parts.front().shape();
  std::int64_t rows = 0;
  for (const Tensor& part : parts) {
    rows += part.shape()[0];
  }
  shape.set(0, rows);
  shape.set(axis, length);
  return shape;
}

void copy_strings(std::span<const Tensor> parts, std::size_t axis, Tensor& out) {
  const Layout to = layout_of(out.shape(), axis);
  std::string* place = out.mutable_values<std::string>().data();
  for (const Tensor& part : parts) {
    const Layout from = layout_of(part.shape(), axis);
    const std::string* next = part.strings().data();
    for (std::size_t block = 0; block < from.blocks; ++block) {
      std::copy_n(next, from.count * from.inner, place);
      next += from.count * from.inner;
      place += to.count * to.inner;
    }
  }
}

void copy_padded(std::span<const Tensor> parts,
                 std::size_t axis,
                 const Element& fill,
                 Tensor& out) {
  const Layout to = layout_of(out.shape(), axis);
  const std::size_t stride = to.count * to.inner;
  auto* place = static_cast<std::byte*>(out.mutable_data());
  for (const Tensor& part : parts) {
    const Layout from = layout_of(part.shape(), axis);
    const std::size_t real = from.count * from.inner;
    const auto* next = static_cast<const std::byte*>(part.data());
    for (std::size_t block = 0; block < from.blocks; ++block) {
      std::copy_n(next, real * fill.size, place);
      fill_bytes(place + real * fill.size, stride - real, fill);
      next += real * fill.size;
      place += stride * fill.size;
    }
  }
}

}  // namespace

Element element_of(DType dtype, double value) {
  switch (dtype) {
    case DType::kBool:
      return value == 0 || value == 1 ? stored<std::uint8_t>(dtype, value) : zero(dtype, value);
    case DType::kUint8: return stored<std::uint8_t>(dtype, value);
    case DType::kUint16: return stored<std::uint16_t>(dtype, value);
    case DType::kUint32: return stored<std::uint32_t>(dtype, value);
    case DType::kUint64: return stored<std::uint64_t>(dtype, value);
    case DType::kInt8: return stored<std::int8_t>(dtype, value);
    case DType::kInt16: return stored<std::int16_t>(dtype, value);
    case DType::kInt32: return stored<std::int32_t>(dtype, value);
    case DType::kInt64: return stored<std::int64_t>(dtype, value);
    case DType::kFloat32: return stored<float>(dtype, value);
    case DType::kFloat64: return stored<double>(dtype, value);
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kBytes: return zero(dtype, value);
  }
  return zero(dtype, value);
}

Tensor stack_padded(std::span<const Tensor> parts,
                    std::size_t axis,
                    std::int64_t length,
                    const Element& fill) {
  if (parts.size() == 1 && parts.front().shape()[axis] == length) {
    return parts.front();
  }
  Tensor out = Tensor::allocate(parts.front().dtype(), stacked_shape(parts, axis, length));
  if (out.dtype() == DType::kBytes) {
    copy_strings(parts, axis, out);
  } else {
    copy_padded(parts, axis, fill, out);
  }
  return out;
}

Tensor narrow(const Tensor& tensor, std::size_t axis, std::int64_t length) {
  if (tensor.shape()[axis] == length) {
    return tensor;
  }
  Shape shape = tensor.shape();
  shape.set(axis, length);
  const Layout from = layout_of(tensor.shape(), axis);
  const std::size_t real = static_cast<std::size_t>(length) * from.inner;
  if (from.blocks == 1) {
    // The leading axis as far as memory is concerned.
    const Shape flat{static_cast<std::int64_t>(from.count), static_cast<std::int64_t>(from.inner)};
    return tensor.reshaped(flat).rows(0, length).reshaped(shape);
  }
  Tensor out = Tensor::allocate(tensor.dtype(), shape);
  for (std::size_t block = 0; block < from.blocks; ++block) {
    const std::size_t source = block * from.count * from.inner;
    if (tensor.dtype() == DType::kBytes) {
      std::copy_n(tensor.strings().data() + source, real,
                  out.mutable_values<std::string>().data() + block * real);
    } else if (real > 0) {
      const std::size_t size = dtype_size(tensor.dtype());
      std::memcpy(static_cast<std::byte*>(out.mutable_data()) + block * real * size,
                  static_cast<const std::byte*>(tensor.data()) + source * size, real * size);
    }
  }
  return out;
}

}  // namespace maas
