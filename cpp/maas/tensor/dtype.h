// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace maas {

// Element types of the Open Inference Protocol.
enum class DType : std::uint8_t {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBfloat16,
  kFloat32,
  kFloat64,
  kBytes,  // each element is a std::string
};

inline constexpr std::size_t kDTypes = 14;

// Bytes that one element takes in memory; for kBytes sizeof(std::string).
std::size_t dtype_size(DType dtype) noexcept;

// The protocol's name, "FP32", and numpy's, "float32" ("bytes" for kBytes).
std::string_view protocol_name(DType dtype) noexcept;
std::string_view numpy_name(DType dtype) noexcept;

std::optional<DType> dtype_from_protocol(std::string_view name) noexcept;
std::optional<DType> dtype_from_numpy(std::string_view name) noexcept;

// Throws invalid_argument that lists the names there are.
DType parse_numpy_dtype(std::string_view name);

}  // namespace maas
