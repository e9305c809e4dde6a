// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/cast.h"

#include <algorithm>
#include <cstdint>

#include <Eigen/Core>

#include "maas/base/error.h"

namespace maas {
namespace {

template <typename T>
Tensor cast_from(const Tensor& tensor) {
  using Source = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
  Tensor out = Tensor::allocate(DType::kFloat32, tensor.shape());
  const auto size = static_cast<Eigen::Index>(tensor.elements());
  Eigen::Map<Eigen::ArrayXf>(static_cast<float*>(out.mutable_data()), size) =
      Source(static_cast<const T*>(tensor.data()), size).template cast<float>();
  return out;
}

// Any byte but 0 is true; one that is neither 0 nor 1 must not be loaded as a bool.
Tensor cast_from_bool(const Tensor& tensor) {
  Tensor out = Tensor::allocate(DType::kFloat32, tensor.shape());
  std::transform(tensor.values<std::uint8_t>().begin(), tensor.values<std::uint8_t>().end(),
                 out.mutable_values<float>().begin(),
                 [](std::uint8_t byte) { return byte == 0 ? 0.0F : 1.0F; });
  return out;
}

}  // namespace

Tensor to_float32(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kBool: return cast_from_bool(tensor);
    case DType::kUint8: return cast_from<std::uint8_t>(tensor);
    case DType::kUint16: return cast_from<std::uint16_t>(tensor);
    case DType::kUint32: return cast_from<std::uint32_t>(tensor);
    case DType::kUint64: return cast_from<std::uint64_t>(tensor);
    case DType::kInt8: return cast_from<std::int8_t>(tensor);
    case DType::kInt16: return cast_from<std::int16_t>(tensor);
    case DType::kInt32: return cast_from<std::int32_t>(tensor);
    case DType::kInt64: return cast_from<std::int64_t>(tensor);
    case DType::kFloat16: return cast_from<Eigen::half>(tensor);
    case DType::kBfloat16: return cast_from<Eigen::bfloat16>(tensor);
    case DType::kFloat64: return cast_from<double>(tensor);
    case DType::kFloat32: return tensor;
    case DType::kBytes: break;
  }
  throw Error(ErrorCode::kInvalidArgument, "a tensor of bytes has no numeric value");
}

}  // namespace maas
