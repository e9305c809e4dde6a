// SPDX-License-Identifier: Apache-2.0
#include "maas/tensor/dtype.h"

#include <algorithm>
#include <array>
#include <string>

#include "maas/base/error.h"

namespace maas {
namespace {

struct Row {
  DType dtype;
  std::size_t size;
  std::string_view protocol;
  std::string_view numpy;
};

// In the order of the enumerators.
constexpr std::array<Row, kDTypes> kRows = {{
    {DType::kBool, 1, "BOOL", "bool"},
    {DType::kUint8, 1, "UINT8", "uint8"},
    {DType::kUint16, 2, "UINT16", "uint16"},
    {DType::kUint32, 4, "UINT32", "uint32"},
    {DType::kUint64, 8, "UINT64", "uint64"},
    {DType::kInt8, 1, "INT8", "int8"},
    {DType::kInt16, 2, "INT16", "int16"},
    {DType::kInt32, 4, "INT32", "int32"},
    {DType::kInt64, 8, "INT64", "int64"},
    {DType::kFloat16, 2, "FP16", "float16"},
    {DType::kBfloat16, 2, "BF16", "bfloat16"},
    {DType::kFloat32, 4, "FP32", "float32"},
    {DType::kFloat64, 8, "FP64", "float64"},
    {DType::kBytes, sizeof(std::string), "BYTES", "bytes"},
}};

const Row& row(DType dtype) noexcept {
  return kRows[static_cast<std::size_t>(dtype)];
}

std::optional<DType> find(std::string_view name, std::string_view Row::* column) noexcept {
  const auto* found =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.*column == name; });
  return found == kRows.end() ? std::nullopt : std::optional(found->dtype);
}

}  // namespace

std::size_t dtype_size(DType dtype) noexcept {
  return row(dtype).size;
}
std::string_view protocol_name(DType dtype) noexcept {
  return row(dtype).protocol;
}
std::string_view numpy_name(DType dtype) noexcept {
  return row(dtype).numpy;
}

std::optional<DType> dtype_from_protocol(std::string_view name) noexcept {
  return find(name, &Row::protocol);
}

std::optional<DType> dtype_from_numpy(std::string_view name) noexcept {
  return find(name, &Row::numpy);
}

DType parse_numpy_dtype(std::string_view name) {
  if (const auto dtype = dtype_from_numpy(name)) {
    return *dtype;
  }
  std::string message = "unknown dtype '" + std::string(name) + "'; use one of";
  for (const Row& r : kRows) {
    message += ' ';
    message += r.numpy;
  }
  throw Error(ErrorCode::kInvalidArgument, message);
}

}  // namespace maas
