// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace maas {

// How a value stands in a message, by its number on the wire.
enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,  // and its end: of old messages, passed over
  kGroupEnd = 4,
  kFixed32 = 5,
};

// A field of a message in Protocol Buffers' binary form.
struct ProtobufField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;   // of a number: its bits
  std::string_view bytes{};  // of kBytes: a string, a message, or many numbers behind each other

  // The value, when it must be one of these; else they throw invalid_argument.
  [[nodiscard]] std::uint64_t as_varint() const;
  [[nodiscard]] std::string_view as_bytes() const;
  [[nodiscard]] std::string_view as_text() const;  // bytes that are UTF-8
};

// Walks through the fields of one message without building anything. Who wrote it is not trusted:
// anything that is not in the encoding throws invalid_argument. A value on the stack of one thread;
// the bytes must outlive it.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) noexcept : rest_(message) {}
  // Nothing at the end.
  std::optional<ProtobufField> next();

 private:
  void skip_group(std::uint32_t number);

  std::string_view rest_;
};

// Takes the number that `bytes` begins with. Throws likewise.
std::uint64_t take_varint(std::string_view& bytes);

// Why a message cannot be read.
[[noreturn]] void refuse_message(std::string_view problem);

}  // namespace maas
