// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace maas {

// Append fields of a message in Protocol Buffers' binary form.

// A string, bytes, or a message that is written already.
void append_protobuf(std::string& message, std::uint32_t field, std::string_view bytes);
// Only what goes before `size` bytes that the caller appends.
void append_protobuf_head(std::string& message, std::uint32_t field, std::size_t size);
void append_varint(std::string& message, std::uint64_t value);

}  // namespace maas
