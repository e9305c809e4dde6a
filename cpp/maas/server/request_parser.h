// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/byte_buffer.h"
#include "maas/server/http.h"
#include "maas/server/http_limits.h"

namespace maas {

// What the head of a request says.
struct RequestHead {
  HttpRequest http;  // views into the input; no body yet
  bool http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;
  bool chunked = false;
  std::size_t content_length = 0;
};

// HTTP/1.x requests out of bytes, with no more tolerance than a client without faults needs: where
// two servers could read one message in two ways, it is refused. No allocation per request. Owned
// by one thread.
class RequestParser {
 public:
  explicit RequestParser(const HttpLimits& limits);
  ~RequestParser();

  // Ready for the next request.
  void reset();
  // Consumes complete lines of the head from the front of `input` and says how many bytes these
  // were; call it again with what follows in memory. The head keeps views into the input.
  std::size_t parse_head(std::string_view input);
  // REQUIRES: head_done(), head().chunked. Appends what the chunks hold to `body`.
  std::size_t parse_chunks(std::string_view input, ByteBuffer& body);

  [[nodiscard]] bool head_done() const noexcept;
  [[nodiscard]] bool chunks_done() const noexcept;
  // REQUIRES: head_done()
  [[nodiscard]] const RequestHead& head() const noexcept;
  // Why the request is refused; nothing may be parsed after it.
  [[nodiscard]] const std::optional<Error>& error() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace maas
