// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

// One part of a form. The views are into the body.
struct FormPart {
  std::string name;
  std::string filename;
  std::string_view content_type;  // empty when the part has none
  bool is_file = false;           // it has a filename, also an empty one
  std::string_view data;
};

inline constexpr std::size_t kMaxFormParts = 1000;
inline constexpr std::size_t kMaxPartHead = std::size_t{8} << 10U;  // bytes of one part's fields

// The parts of a multipart/form-data body (RFC 7578). Strict: nothing before the first boundary or
// behind the last, CRLF alone ends a line, every part has a name in UTF-8. Throws invalid_argument
// that says what is wrong and where.
std::vector<FormPart> parse_multipart(std::string_view body, std::string_view boundary);

// 1 to 70 characters of RFC 2046, the last no space.
bool is_boundary(std::string_view text) noexcept;

}  // namespace maas
