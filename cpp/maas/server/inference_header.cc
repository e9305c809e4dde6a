// SPDX-License-Identifier: Apache-2.0
#include "maas/server/inference_header.h"

#include <charconv>
#include <string>
#include <system_error>

#include "maas/base/error.h"
#include "maas/server/names.h"

namespace maas {
namespace {

std::optional<std::size_t> number(std::string_view text) noexcept {
  std::size_t value = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  return error == std::errc{} && stop == end ? std::optional(value) : std::nullopt;
}

const Header* find(const HttpRequest& http) noexcept {
  for (const Header& header : http.headers) {
    if (same_token(header.name, kInferenceHeader)) {
      return &header;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<std::size_t> inference_header_length(const HttpRequest& http) noexcept {
  const Header* header = find(http);
  return header != nullptr ? number(header->value) : std::nullopt;
}

std::optional<std::size_t> checked_header_length(const HttpRequest& http, std::size_t body_size) {
  const Header* header = find(http);
  if (header == nullptr) {
    return std::nullopt;
  }
  const auto length = number(header->value);
  if (!length || *length > body_size) {
    throw Error(ErrorCode::kInvalidArgument,
                "the header field " + std::string(kInferenceHeader) +
                    " must be a number of bytes " + "from 0 to the body's " +
                    std::to_string(body_size) + ", not " + in_quotes(header->value));
  }
  return length;
}

}  // namespace maas
