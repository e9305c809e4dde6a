// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "maas/server/byte_buffer.h"
#include "maas/server/http.h"

namespace maas {

// The codings of bodies, gzip and deflate, both ways. Bodies are inflated and deflated on the
// calling thread.

// Replaces the body of a request that has a Content-Encoding by what it holds, in memory that it
// may be kept in. Throws invalid_argument for a coding that is not known or more than one (status
// 415) and for a body that is cut short or damaged, too_large when it would be longer than
// `max_bytes`.
void decode_body(HttpRequest& http, std::size_t max_bytes);

// Which answers are compressed.
enum class Compression : std::uint8_t {
  kNever,
  kAsked,   // those to clients that name one coding, which only such do as want it
  kAlways,  // those to all clients that take it, which most libraries say they do
};
struct CompressionPolicy {
  Compression when = Compression::kAsked;
  std::size_t min_bytes = 1024;  // shorter bodies go as they are
};

// Compresses the answer when client and policy want it and it becomes shorter by it.
void encode_body(const HttpRequest& http, const CompressionPolicy& policy, HttpResponse& response);

}  // namespace maas
