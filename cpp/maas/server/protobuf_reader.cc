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

template <typename Bits>
std::uint64_t take_fixed(std::string_view& from) {
  Bits bits = 0;
  const std::string_view bytes = take_bytes(from, sizeof bits);
  std::memcpy(&bits, bytes.data(), bytes.size());
  return bits;
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
  if (rest_.empty()) {
    return std::nullopt;
  }
  const std::uint64_t tag = take_varint(rest_);
  const std::uint64_t number = tag >> 3U;
  if (number == 0 || number > kGreatestNumber) {
    refuse_message("a field has no number");
  }
  ProtobufField field{static_cast<std::uint32_t>(number), static_cast<WireType>(tag & 7U)};
  switch (field.type) {
    case WireType::kVarint: field.value = take_varint(rest_); break;
    case WireType::kFixed64: field.value = take_fixed<std::uint64_t>(rest_); break;
    case WireType::kFixed32: field.value = take_fixed<std::uint32_t>(rest_); break;
    case WireType::kBytes: field.bytes = take_bytes(rest_, take_varint(rest_)); break;
    case WireType::kGroup: skip_group(field.number); return next();
    default: refuse_message("field " + std::to_string(number) + " is of no known kind");
  }
  return field;
}

// All up to the end of the group, which has the same number. Groups may nest; what is inside is
// read like any message and thrown away.
void ProtobufReader::skip_group(std::uint32_t number) {
  std::vector<std::uint32_t> open{number};
  while (!open.empty()) {
    const std::uint64_t tag = take_varint(rest_);
    const auto inner = static_cast<std::uint32_t>(tag >> 3U);
    switch (static_cast<WireType>(tag & 7U)) {
      case WireType::kVarint: (void)take_varint(rest_); break;
      case WireType::kFixed64: (void)take_bytes(rest_, sizeof(std::uint64_t)); break;
      case WireType::kFixed32: (void)take_bytes(rest_, sizeof(std::uint32_t)); break;
      case WireType::kBytes: (void)take_bytes(rest_, take_varint(rest_)); break;
      case WireType::kGroup: open.push_back(inner); break;
      case WireType::kGroupEnd:
        if (inner != open.back()) {
          refuse_message("a group ends that was not begun");
        }
        open.pop_back();
        break;
      default: refuse_message("a group has a field of no known kind");
    }
    if (open.size() > kDeepestGroup) {
      refuse_message("groups are nested too deep");
    }
  }
}

}  // namespace maas
