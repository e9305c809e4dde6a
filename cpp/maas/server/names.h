// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maas {

// What clients name, and how their names are shown to them.

// ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$
bool is_model_name(std::string_view name) noexcept;

// A version as paths have it: 1 to 9 digits without a leading zero; nothing for anything else.
std::optional<int> parse_version(std::string_view text) noexcept;

// `text` in single quotes for an error's sentence: at most 64 characters, what is not printable
// ASCII replaced by '?'.
std::string in_quotes(std::string_view text);

// A path with its %XX decoded; nothing when a '%' has no two hexadecimal digits behind it.
std::optional<std::string> percent_decode(std::string_view path);

}  // namespace maas
