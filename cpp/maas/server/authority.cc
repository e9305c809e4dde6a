// SPDX-License-Identifier: Apache-2.0
#include "maas/server/authority.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace maas {
namespace {

constexpr int kMaxPort = 65535;
constexpr std::size_t kMaxHost = 255;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_hexadecimal(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// What names and IPv4 addresses are made of. Names may have more in a URI, but no resolver takes
// it.
bool is_in_a_name(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
         c == '_';
}

bool is_in_an_address(char c) noexcept {
  return is_hexadecimal(c) || c == ':' || c == '.';
}

// Where the host ends; npos when it does not.
std::size_t end_of_host(std::string_view text) noexcept {
  if (!text.starts_with('[')) {
    return std::min(text.find(':'), text.size());
  }
  const std::size_t close = text.find(']');
  return close == std::string_view::npos ? close : close + 1;
}

bool is_host(std::string_view host) noexcept {
  if (host.size() > kMaxHost) {
    return false;
  }
  if (host.starts_with('[')) {
    const std::string_view address = host.substr(1, host.size() - 2);
    return address.size() >= 2 && std::all_of(address.begin(), address.end(), is_in_an_address);
  }
  return std::all_of(host.begin(), host.end(), is_in_a_name);
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) noexcept {
  const std::size_t end = end_of_host(text);
  if (end == std::string_view::npos || !is_host(text.substr(0, end))) {
    return std::nullopt;
  }
  Authority found{text.substr(0, end), std::nullopt};
  if (end == text.size()) {
    return found;
  }
  const std::string_view digits = text.substr(end + 1);
  if (text[end] != ':' || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return std::nullopt;
  }
  if (digits.empty()) {
    return found;
  }
  int port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (read.ec != std::errc() || port > kMaxPort) {
    return std::nullopt;
  }
  found.port = port;
  return found;
}

}  // namespace maas
