// SPDX-License-Identifier: Apache-2.0
#include "maas/server/protobuf_writer.h"

#include "maas/server/protobuf_reader.h"

namespace maas {

void append_varint(std::string& message, std::uint64_t value) {
  for (; value >= 0x80U; value >>= 7U) {
    message += static_cast<char>((value & 0x7FU) | 0x80U);
  }
  message += static_cast<char>(value);
}

void append_protobuf_head(std::string& message, std::uint32_t field, std::size_t size) {
  append_varint(message, std::uint64_t{field} << 3U | static_cast<unsigned>(WireType::kBytes));
  append_varint(message, size);
}

void append_protobuf(std::string& message, std::uint32_t field, std::string_view bytes) {
  append_protobuf_head(message, field, bytes.size());
  message += bytes;
}

}  // namespace maas
