// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_body.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/names.h"

namespace maas {
namespace {

std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "application/json", alone or with a charset of UTF-8.
bool is_json(std::string_view type) noexcept {
  const auto semicolon = std::min(type.find(';'), type.size());
  const std::string_view parameter = trim(type.substr(std::min(semicolon + 1, type.size())));
  return same_token(trim(type.substr(0, semicolon)), "application/json") &&
         (parameter.empty() || same_token(parameter, "charset=utf-8") ||
          same_token(parameter, "charset=\"utf-8\""));
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message).with_http_status(415);
}

}  // namespace

void require_json_type(const HttpRequest& http) {
  const std::string_view type = http.header("content-type");
  if (!type.empty() && !is_json(type)) {
    refuse("the Content-Type " + in_quotes(type) + " is not supported; send application/json");
  }
}

}  // namespace maas
