// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_writer.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "maas/server/utf8.h"

namespace maas {
namespace {

bool is_plain(char c) noexcept {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

void append_control(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

// The character that `text` begins with, which is not plain; returns how many bytes it takes.
std::size_t append_escaped(std::string& out, std::string_view text) {
  const char c = text.front();
  const std::size_t size = utf8_sequence(text);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (size == 1) {
    append_control(out, c);
  } else {
    out += size == 0 ? "\xEF\xBF\xBD" : text.substr(0, size);
  }
  return size == 0 ? 1 : size;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) {
      ++plain;
    }
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) {
      text.remove_prefix(append_escaped(out, text));
    }
  }
  out += '"';
}

void append_json_number(std::string& out, std::int64_t value) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void append_json_shape(std::string& out, const Shape& shape) {
  out += '[';
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (axis != 0) {
      out += ',';
    }
    append_json_number(out, shape[axis]);
  }
  out += ']';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace maas
