// SPDX-License-Identifier: Apache-2.0
#include "maas/server/protobuf_reader.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

constexpr std::uint32_t kGreatestNumber = (1U << 29U) - 1;
constexpr std::size_t kDeepestGroup = 100;
constexpr unsigned kLastShift = 63;  // of the tenth byte, of which one bit is left

std::string_view take_bytes(std::string_view& from, std::uint64_t count) {
  if (count > from.size()) {
    refuse_message("it ends inside a field");
  }
  const std::string_view bytes = from.substr(0, static_cast<std::size_t>(count));
  from.remove_prefix(bytes.size());
  return bytes;
}

struct Tag {
  std::uint32_t number;
  WireType type;
};

template <typename Bits>
std::uint64_t take_fixed(std::string_view& from) {
  Bits bits = 0;
  const std::string_view bytes = take_bytes(from, sizeof bits);
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
}

Tag take_tag(std::string_view& from) {
  const std::uint64_t tag = take_varint(from);
  const std::uint64_t number = tag >> 3U;
  if (number == 0 || number > kGreatestNumber) {
    refuse_message("a field has no number");
  }
  return {static_cast<std::uint32_t>(number), static_cast<WireType>(tag & 7U)};
}

ProtobufField take_field(const Tag& tag, std::string_view& from) {
  ProtobufField field{tag.number, tag.type};
  switch (tag.type) {
    case WireType::kVarint: field.value = take_varint(from); break;
    case WireType::kFixed64: field.value = take_fixed<std::uint64_t>(from); break;
    case WireType::kFixed32: field.value = take_fixed<std::uint32_t>(from); break;
    case WireType::kBytes: field.bytes = take_bytes(from, take_varint(from)); break;
    default: refuse_message("field " + std::to_string(tag.number) + " is of no known kind");
  }
  return field;
}

}  // namespace

void refuse_message(std::string_view problem) {
  throw Error(ErrorCode::kInvalidArgument, "the message is malformed: " + std::string(problem));
}

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= kLastShift; shift += 7) {
    const auto byte = static_cast<unsigned char>(take_bytes(bytes, 1)[0]);
    if (shift == kLastShift && byte > 1) {
      break;
    }
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) {
      return value;
    }
  }
  refuse_message("a number is longer than 64 bits");
}

std::uint64_t ProtobufField::as_varint() const {
  if (type != WireType::kVarint) {
    refuse_message("field " + std::to_string(number) + " is no whole number");
  }
  return value;
}

std::string_view ProtobufField::as_bytes() const {
  if (type != WireType::kBytes) {
    refuse_message("field " + std::to_string(number) + " is neither text nor a message");
  }
  return bytes;
}

std::string_view ProtobufField::as_text() const {
  if (!is_utf8(as_bytes())) {
    refuse_message("field " + std::to_string(number) + " is not UTF-8");
  }
  return bytes;
}

std::optional<ProtobufField> ProtobufReader::next() {
  while (!rest_.empty()) {
    const Tag tag = take_tag(rest_);
    if (tag.type != WireType::kGroup) {
      return take_field(tag, rest_);
    }
    skip_group(tag.number);
  }
  return std::nullopt;
}

// All up to its end, which has the same number. What is inside is read like any message.
void ProtobufReader::skip_group(std::uint32_t number) {
  std::vector<std::uint32_t> open{number};
  while (!open.empty()) {
    const Tag tag = take_tag(rest_);
    if (tag.type == WireType::kGroup) {
      open.push_back(tag.number);
    } else if (tag.type != WireType::kGroupEnd) {
      (void)take_field(tag, rest_);
    } else if (tag.number == open.back()) {
      open.pop_back();
    } else {
      refuse_message("a group ends that was not begun");
    }
    if (open.size() > kDeepestGroup) {
      refuse_message("groups are nested too deep");
    }
  }
}

}  // namespace maas
