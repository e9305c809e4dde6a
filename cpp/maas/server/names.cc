// SPDX-License-Identifier: Apache-2.0
#include "maas/server/names.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace maas {
namespace {

constexpr std::size_t kMaxModelName = 128;
constexpr std::size_t kMaxVersionDigits = 9;  // fits an int
constexpr std::size_t kMaxShown = 64;

bool is_alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_character(char c) noexcept {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_model_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxModelName && is_alphanumeric(name.front()) &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

std::optional<int> parse_version(std::string_view text) noexcept {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > kMaxVersionDigits || text.front() == '0' ||
      !std::all_of(text.begin(), text.end(), is_digit)) {
    return std::nullopt;
  }
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

std::string in_quotes(std::string_view text) {
  std::string shown = "'";
  for (const char c : text.substr(0, kMaxShown)) {
    shown += c >= ' ' && c <= '~' ? c : '?';
  }
  shown += text.size() > kMaxShown ? "...'" : "'";
  return shown;
}

std::optional<std::string> percent_decode(std::string_view path) {
  std::string decoded;
  decoded.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    const std::string_view digits = path.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto [stop, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc{} || digits.size() != 2 || stop != digits.data() + 2) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace maas
