// SPDX-License-Identifier: Apache-2.0
#include "maas/server/field_part.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr char kMark = '\x01';

using Sizes = std::array<std::uint64_t, 3>;  // of content type, filename and data
constexpr std::size_t kHead = 2 + sizeof(Sizes);

std::string_view take(std::string_view& from, std::uint64_t size) {
  if (size > from.size()) {
    throw Error(ErrorCode::kInternal, "the parts of a field are cut short");
  }
  const std::string_view taken = from.substr(0, size);
  from.remove_prefix(size);
  return taken;
}

}  // namespace

void append_part(std::string& packed, const FieldPart& part) {
  const Sizes sizes{part.content_type.size(), part.filename.size(), part.data.size()};
  packed.reserve(packed.size() + kHead + sizes[0] + sizes[1] + sizes[2]);
  packed += kMark;
  packed += static_cast<char>(part.form);
  packed.append(reinterpret_cast<const char*>(sizes.data()), sizeof(Sizes));
  packed += part.content_type;
  packed += part.filename;
  packed += part.data;
}

bool holds_parts(std::string_view value) noexcept {
  return value.starts_with(kMark);
}

std::vector<FieldPart> unpack_parts(std::string_view packed) {
  std::vector<FieldPart> parts;
  while (!packed.empty()) {
    const std::string_view head = take(packed, kHead);
    Sizes sizes{};
    std::memcpy(sizes.data(), head.data() + 2, sizeof(Sizes));
    FieldPart& part = parts.emplace_back();
    part.form = static_cast<FieldPart::Form>(head[1]);
    part.content_type = take(packed, sizes[0]);
    part.filename = take(packed, sizes[1]);
    part.data = take(packed, sizes[2]);
  }
  return parts;
}

}  // namespace maas
