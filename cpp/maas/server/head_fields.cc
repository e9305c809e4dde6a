// SPDX-License-Identifier: Apache-2.0
#include "maas/server/head_fields.h"

#include <algorithm>
#include <array>
#include <utility>

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

// Behind "http://host"; the target itself when it has no scheme.
std::string_view without_authority(std::string_view target) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (same_token(target.substr(0, scheme.size()), scheme)) {
      const std::size_t end = target.find_first_of("/?", scheme.size());
      return end == scheme.size() || end == std::string_view::npos ? std::string_view("/")
                                                                   : target.substr(end);
    }
  }
  return target;
}

}  // namespace

Method method_named(std::string_view name) noexcept {
  static constexpr std::array<std::pair<std::string_view, Method>, 6> kNames = {{
      {"GET", Method::kGet},
      {"HEAD", Method::kHead},
      {"POST", Method::kPost},
      {"PUT", Method::kPut},
      {"DELETE", Method::kDelete},
      {"OPTIONS", Method::kOptions},
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
  const std::string_view path = without_authority(target);
  if (!path.starts_with('/') && !(path == "*" && http.method == Method::kOptions)) {
    return false;
  }
  const std::size_t mark = path.find('?');
  http.path = path.substr(0, mark);
  http.query = mark == std::string_view::npos ? std::string_view() : path.substr(mark + 1);
  return true;
}

}  // namespace maas
