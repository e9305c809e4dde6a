// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "maas/server/byte_buffer.h"
#include "maas/server/byte_lease.h"
#include "maas/server/request_parser.h"

namespace maas {

// Turns the bytes of one connection into its requests, one after the other. The bytes are received
// into memory that it lends; a request's views stay valid until next(). Owned by one thread; knows
// nothing of sockets.
class RequestReader {
 public:
  enum class State : std::uint8_t {
    kIdle,  // nothing of the next request has come
    kHead,
    kBody,
    kReady,    // request() is complete
    kRefused,  // error() says why; the connection cannot go on
  };

  // Bodies that are not small take their bytes from `bytes`, before they are read.
  RequestReader(const HttpLimits& limits, ByteBudget& bytes);

  // Where to receive further bytes; never empty unless a request is ready or refused. Nothing else
  // may be called, but for next() and parse() while nothing has come, until add().
  std::span<char> space();
  void add(std::size_t n) noexcept;
  // Room to receive what comes while a ready request is being answered, without moving anything;
  // empty when that is not possible.
  std::span<char> space_ahead() noexcept;

  // What has come behind a ready request, for whom it is not another request. Valid until more is
  // received. REQUIRES: state() is kReady
  std::string_view take_ahead() noexcept;

  // Reads on as far as the bytes go.
  State parse();
  [[nodiscard]] State state() const noexcept { return state_; }
  // REQUIRES: state() is kBody, kReady
  [[nodiscard]] const RequestHead& head() const noexcept { return parser_.head(); }
  // REQUIRES: state() is kReady
  [[nodiscard]] HttpRequest request() noexcept;
  // REQUIRES: state() is kRefused
  [[nodiscard]] const Error& error() const noexcept {
    return crowded_ ? *crowded_ : *parser_.error();
  }
  // Bytes have come that no request has used yet.
  [[nodiscard]] bool has_more() const noexcept { return parsed_ < size_; }
  // Of the body, so far.
  [[nodiscard]] std::size_t body_bytes() const noexcept;

  // Forgets the request, and gives its bytes back.
  void next();
  // Forgets everything that has come, also what is beyond the request.
  void discard();

 private:
  void parse_head();
  void begin_body();
  void parse_body();
  bool make_room(std::size_t bytes);
  void pull_up(std::size_t to) noexcept;

  const HttpLimits limits_;
  RequestParser parser_;
  State state_ = State::kIdle;
  const std::size_t head_room_;  // more than any head may take
  const std::size_t capacity_;
  // Those beyond parsed_ are not read yet.
  const std::unique_ptr<char[]> bytes_;
  std::size_t parsed_ = 0;
  std::size_t size_ = 0;
  std::size_t body_at_ = 0;                // in bytes_, when the body fits there
  bool body_apart_ = false;                // it is in body_
  std::optional<std::size_t> tensors_at_;  // in body_, where tensors follow a JSON text
  ByteBuffer body_;
  ByteLease lease_;               // of body_, until next()
  std::optional<Error> crowded_;  // there is no room for the body
};

}  // namespace maas
