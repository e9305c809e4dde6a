// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/dlpack.h"

#include <cstring>
#include <memory>
#include <vector>

#include "maas/base/error.h"

namespace maas::dlpack {
namespace {

enum Code : std::uint8_t { kInt = 0, kUint = 1, kFloat = 2, kBfloat = 4, kBool = 6 };

DataType data_type(DType dtype) {
  const auto bits = static_cast<std::uint8_t>(dtype_size(dtype) * 8);
  switch (dtype) {
    case DType::kBool: return {kBool, bits, 1};
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64: return {kUint, bits, 1};
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64: return {kInt, bits, 1};
    case DType::kFloat16:
    case DType::kFloat32:
    case DType::kFloat64: return {kFloat, bits, 1};
    case DType::kBfloat16: return {kBfloat, bits, 1};
    case DType::kBytes: break;
  }
  throw Error(ErrorCode::kInvalidArgument, "a tensor of bytes cannot be shared as an array");
}

DType our_dtype(const DataType& type) {
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (dtype == DType::kBytes) {
      continue;
    }
    const DataType ours = data_type(dtype);
    if (ours.code == type.code && ours.bits == type.bits && type.lanes == 1) {
      return dtype;
    }
  }
  throw Error(ErrorCode::kInvalidArgument, "an array of this element type is not supported");
}

// What an exported view needs for as long as it lives.
template <typename M>
struct Holder {
  M managed{};
  Tensor tensor;
  std::vector<std::int64_t> shape;
};

template <typename M>
M* make_view(const Tensor& tensor) {
  auto holder = std::make_unique<Holder<M>>();
  holder->tensor = tensor;
  holder->shape.assign(tensor.shape().dims().begin(), tensor.shape().dims().end());
  M& managed = holder->managed;
  managed.array = {.data = holder->tensor.mutable_data(),
                   .device = {kCpu, 0},
                   .ndim = static_cast<std::int32_t>(holder->shape.size()),
                   .dtype = data_type(tensor.dtype()),
                   .shape = holder->shape.data(),
                   .strides = nullptr,
                   .byte_offset = 0};
  managed.context = holder.get();
  managed.deleter = [](M* self) {
    const std::unique_ptr<Holder<M>> dies(static_cast<Holder<M>*>(self->context));
  };
  return &holder.release()->managed;
}

bool is_compact(const Array& array) {
  std::int64_t step = 1;
  for (std::int32_t axis = array.ndim - 1; array.strides != nullptr && axis >= 0; --axis) {
    if (array.shape[axis] != 1 && array.strides[axis] != step) {
      return false;
    }
    step *= array.shape[axis];
  }
  return true;
}

// Copies axis by axis; the innermost run of one element at a time is slow but rare.
void copy_strided(const Array& array, std::int32_t axis, const std::byte* from, std::byte*& to) {
  const std::size_t size = array.dtype.bits / 8U;
  if (axis == array.ndim) {
    std::memcpy(to, from, size);
    to += size;
    return;
  }
  for (std::int64_t i = 0; i < array.shape[axis]; ++i) {
    const std::int64_t step = i * array.strides[axis] * static_cast<std::int64_t>(size);
    copy_strided(array, axis + 1, from + step, to);
  }
}

template <typename M>
Tensor take(M* managed) {
  const std::shared_ptr<M> owner(managed, [](M* m) {
    if (m->deleter != nullptr) {
      m->deleter(m);
    }
  });
  const Array& array = managed->array;
  if (array.device.type != kCpu) {
    throw Error(ErrorCode::kInvalidArgument, "the array is not in CPU memory; move it there first");
  }
  const DType dtype = our_dtype(array.dtype);
  if (array.ndim < 0) {
    throw Error(ErrorCode::kInvalidArgument, "the array has a negative number of dimensions");
  }
  const Shape shape(
      std::span<const std::int64_t>(array.shape, static_cast<std::size_t>(array.ndim)));
  auto* data = static_cast<std::byte*>(array.data) + array.byte_offset;
  if (is_compact(array)) {
    return Tensor::borrow(dtype, shape, data, owner);
  }
  Tensor copy = Tensor::allocate(dtype, shape);
  auto* to = static_cast<std::byte*>(copy.mutable_data());
  copy_strided(array, 0, data, to);
  return copy;
}

}  // namespace

Managed* export_tensor(const Tensor& tensor) {
  return make_view<Managed>(tensor);
}

ManagedVersioned* export_versioned(const Tensor& tensor) {
  ManagedVersioned* managed = make_view<ManagedVersioned>(tensor);
  managed->version = {1, 0};
  managed->flags = 0;
  return managed;
}

Tensor import_tensor(Managed* managed) {
  return take(managed);
}

Tensor import_versioned(ManagedVersioned* managed) {
  if (managed->version.major > 1) {
    if (managed->deleter != nullptr) {
      managed->deleter(managed);
    }
    throw Error(ErrorCode::kInvalidArgument, "the array speaks a DLPack version newer than 1");
  }
  return take(managed);
}

}  // namespace maas::dlpack
