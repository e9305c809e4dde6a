// SPDX-License-Identifier: Apache-2.0
#include "maas/server/head_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "maas/server/authority.h"

namespace maas {
namespace {

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes "http://host" from the front of a target that has it. False when it is malformed.
bool take_authority(std::string_view& target, std::string_view& authority) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_token(target.substr(0, scheme.size()), scheme)) {
      continue;
    }
    const std::size_t end = std::min(target.find_first_of("/?", scheme.size()), target.size());
    authority = target.substr(scheme.size(), end - scheme.size());
    target.remove_prefix(end);
    return !authority.empty() && parse_authority(authority).has_value();
  }
  return true;
}

}  // namespace

Method method_named(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, Method>, 10> kNames = {{
      {"GET", Method::kGet},
      {"HEAD", Method::kHead},
      {"POST", Method::kPost},
      {"PUT", Method::kPut},
      {"PATCH", Method::kPatch},
      {"DELETE", Method::kDelete},
      {"OPTIONS", Method::kOptions},
      {"CONNECT", Method::kConnect},
      {"TRACE", Method::kTrace},
      {"QUERY", Method::kQuery},
  }};
  for (const auto& [known, method] : kNames) {
    if (name == known) {
      return method;
    }
  }
  return Method::kOther;
}

TransferCoding read_transfer_coding(std::string_view value) noexcept {
  if (same_token(value, "chunked")) {
    return TransferCoding::kChunked;
  }
  for (bool last = false; !last;) {
    const std::size_t comma = value.find(',');
    last = comma == std::string_view::npos;
    const std::string_view coding = trim(value.substr(0, comma));
    if (!is_token(coding) || (!last && same_token(coding, "chunked"))) {
      return TransferCoding::kMalformed;
    }
    value.remove_prefix(last ? value.size() : comma + 1);
  }
  return TransferCoding::kUnknown;
}

bool split_target(std::string_view target, HttpRequest& http) noexcept {
  if (http.method == Method::kConnect) {
    http.authority = http.path = target;
    return !target.empty() && parse_authority(target).has_value();
  }
  http.authority = {};
  if (!std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    return false;  // URIs are ASCII; the rest is percent-encoded
  }
  std::string_view rest = target;
  if (!take_authority(rest, http.authority) || rest.find('#') != std::string_view::npos) {
    return false;
  }
  const bool absolute = !http.authority.empty();
  const bool is_path = rest.starts_with('/') || (rest == "*" && http.method == Method::kOptions);
  if (!is_path && !absolute) {
    return false;
  }
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  http.path = rest.substr(0, mark);
  http.query = mark == rest.size() ? std::string_view() : rest.substr(mark + 1);
  if (http.path.empty()) {
    http.path = "/";
  }
  return true;
}

}  // namespace maas
