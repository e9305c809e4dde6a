// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

// A field such as Content-Type or Content-Disposition taken apart (RFC 9110, 5.6.6): a first token,
// then parameters. Views into the field's value.
struct MediaType {
  struct Parameter {
    std::string_view name;
    std::string value;  // without the quotes
  };
  std::string_view essence;  // "image/png"
  std::vector<Parameter> parameters;

  // The first parameter of that name (ASCII case is ignored); null when there is none.
  [[nodiscard]] const std::string* find(std::string_view name) const noexcept;
};

// Nothing when the value breaks the grammar.
std::optional<MediaType> parse_media_type(std::string_view value);

// The first token alone, without white space around it.
std::string_view essence_of(std::string_view value) noexcept;

// Whether `essence` is what `pattern` names: "image/png", "image/*" or "*/*".
bool media_matches(std::string_view pattern, std::string_view essence) noexcept;

}  // namespace maas
