// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace maas {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kOther };

// Equal when ASCII case is ignored, as names of fields and their keywords are compared.
bool same_token(std::string_view a, std::string_view b) noexcept;

struct Header {
  std::string_view name;
  std::string_view value;
};

// A request as the transport received it. Views into the connection's buffers, valid until the
// request is answered.
struct HttpRequest {
  Method method = Method::kGet;
  std::string_view path;   // as sent, percent-encoded, without the query
  std::string_view query;  // behind the '?'
  std::span<const Header> headers;
  std::string_view body;

  // The first field of that name (ASCII case is ignored); empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

// An answer. The transport adds Content-Length, Connection and X-Request-Id.
struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  // of static storage or the catalogue's
  std::string headers;                                 // further complete lines, "Allow: GET\r\n"
  std::string body;

  void clear() noexcept;  // keeps the capacity, if it is not large
};

}  // namespace maas
