// SPDX-License-Identifier: Apache-2.0
// Targets, paths, names, versions and hosts as clients write them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "maas/server/authority.h"
#include "maas/server/head_fields.h"
#include "maas/server/names.h"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_target(std::string_view text, maas::Method method) {
  maas::HttpRequest http;
  http.method = method;
  if (maas::split_target(text, http)) {
    require(http.path == "/" || is_within(http.path, text));
    require(is_within(http.query, text) && is_within(http.authority, text));
    require(http.authority.empty() || maas::parse_authority(http.authority));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const maas::Method method :
       {maas::Method::kGet, maas::Method::kOptions, maas::Method::kConnect}) {
    check_target(text, method);
  }
  if (const auto decoded = maas::percent_decode(text)) {
    require(decoded->size() <= size);
    require(text.find('%') != std::string_view::npos || *decoded == text);
  }
  if (const auto authority = maas::parse_authority(text)) {
    require(is_within(authority->host, text));
    require(!authority->port || (*authority->port >= 0 && *authority->port <= 65535));
  }
  require(!maas::is_model_name(text) || text.find_first_of("/\\%") == std::string_view::npos);
  const auto version = maas::parse_version(text);
  require(!version || std::to_string(*version) == text);
  for (const char c : maas::in_quotes(text)) {
    require(c >= ' ' && c <= '~');
  }
  return 0;
}
