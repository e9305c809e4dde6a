// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "maas/server/http.h"

namespace maas {

Method method_named(std::string_view name) noexcept;

enum class TransferCoding : std::uint8_t { kChunked, kUnknown, kMalformed };

// What a Transfer-Encoding field asks for. Only the one word "chunked" is acceptable; a list in
// which chunked is not last, or with something that is no token, cannot be framed at all.
TransferCoding read_transfer_coding(std::string_view value) noexcept;

// Divides a request target into authority, path and query: "/path?query", "http://host/path", for
// OPTIONS "*", for CONNECT "host:port". False when it is none of these. Sets http.path, http.query
// and, where the target has one, http.authority; reads http.method.
bool split_target(std::string_view target, HttpRequest& http) noexcept;

}  // namespace maas
