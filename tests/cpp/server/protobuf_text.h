// SPDX-License-Identifier: Apache-2.0
// Messages for tests, written by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "maas/server/protobuf_writer.h"

namespace maas::testing {

inline std::string field(std::uint32_t number, std::string_view bytes) {
  std::string message;
  append_protobuf(message, number, bytes);
  return message;
}

// Not packed.
inline std::string number(std::uint32_t field, std::int64_t value) {
  std::string message;
  append_varint(message, std::uint64_t{field} << 3U);
  append_varint(message, static_cast<std::uint64_t>(value));
  return message;
}

inline std::string packed(std::initializer_list<std::int64_t> values) {
  std::string bytes;
  for (const std::int64_t value : values) {
    append_varint(bytes, static_cast<std::uint64_t>(value));
  }
  return bytes;
}

template <typename T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

// An entry of the parameters; `value` is an InferParameter.
inline std::string parameter(std::string_view name, std::string_view value) {
  return field(1, name) + field(2, value);
}

// An InferInputTensor but for its contents.
inline std::string input(std::string_view name,
                         std::string_view datatype,
                         std::initializer_list<std::int64_t> shape) {
  return field(1, name) + field(2, datatype) + field(3, packed(shape));
}

}  // namespace maas::testing
