// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maas {

// Bytes of the UTF-8 sequence that `text` begins with, 1 to 4; 0 when it begins with none: a stray
// or missing continuation byte, an overlong form, a surrogate, beyond U+10FFFF, or the end.
std::size_t utf8_sequence(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

// Appends the sequence of one code point. REQUIRES: a code point that is no surrogate
void append_utf8(std::string& out, char32_t code_point);

}  // namespace maas
