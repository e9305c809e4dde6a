// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

// A value of a field that did not come in a JSON body. Views into what it was read from.
struct FieldPart {
  enum class Form : std::uint8_t {
    kText = 't',   // of a form
    kQuery = 'q',  // text of the query
    kJson = 'j',   // a part that says it is JSON
    kFile = 'f',   // bytes: the body itself, or an upload
  };
  Form form = Form::kText;
  std::string_view content_type{};
  std::string_view filename{};
  std::string_view data{};
};

// A field without a dtype is one string on its way to a callable, so that it may share a batch: its
// JSON text, or parts packed one behind the other, which begin with a byte that no JSON begins
// with.
void append_part(std::string& packed, const FieldPart& part);
[[nodiscard]] bool holds_parts(std::string_view value) noexcept;
// REQUIRES: what append_part() made
[[nodiscard]] std::vector<FieldPart> unpack_parts(std::string_view packed);

}  // namespace maas
