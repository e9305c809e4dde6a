// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "maas/server/inference_header.h"

namespace maas {
namespace {

constexpr std::size_t kBeside = std::size_t{28} << 10U;     // of small bodies and what follows them
constexpr std::size_t kAroundHead = std::size_t{4} << 10U;  // empty lines, and a bound's own slack
constexpr std::size_t kSmallBody = std::size_t{64} << 10U;  // is not counted
constexpr std::size_t kKeptBody = std::size_t{1} << 20U;

}  // namespace

RequestReader::RequestReader(const HttpLimits& limits, ByteBudget& bytes)
    : limits_(limits),
      parser_(limits),
      head_room_(limits.head + kAroundHead),
      capacity_(head_room_ + kBeside),
      bytes_(std::make_unique_for_overwrite<char[]>(capacity_)),
      lease_(bytes) {}

std::span<char> RequestReader::space() {
  if (state_ == State::kBody && body_apart_ && !head().chunked) {
    return body_.room().first(head().content_length - body_.size());
  }
  if (state_ == State::kBody && body_apart_) {
    pull_up(body_at_);
  } else if (state_ == State::kIdle) {
    pull_up(0);
  }
  return {bytes_.get() + size_, capacity_ - size_};
}

void RequestReader::add(std::size_t n) noexcept {
  if (state_ == State::kBody && body_apart_ && !head().chunked) {
    body_.add(n);
  } else {
    size_ += n;
  }
}

std::span<char> RequestReader::space_ahead() noexcept {
  // Only where the head of the request that comes next will fit without being moved.
  if (state_ != State::kReady || has_more() || capacity_ - parsed_ < head_room_) {
    return {};
  }
  return {bytes_.get() + size_, capacity_ - size_};
}

std::string_view RequestReader::take_ahead() noexcept {
  const std::string_view ahead(bytes_.get() + parsed_, size_ - parsed_);
  size_ = parsed_;
  return ahead;
}

RequestReader::State RequestReader::parse() {
  if (state_ == State::kIdle && has_more()) {
    state_ = State::kHead;
    if (capacity_ - parsed_ < head_room_) {
      pull_up(0);
    }
  }
  if (state_ == State::kHead) {
    parse_head();
  }
  if (state_ == State::kBody) {
    parse_body();
  }
  return state_;
}

void RequestReader::parse_head() {
  parsed_ += parser_.parse_head({bytes_.get() + parsed_, size_ - parsed_});
  if (parser_.error()) {
    state_ = State::kRefused;
  } else if (parser_.head_done()) {
    state_ = State::kBody;
    begin_body();
  }
}

void RequestReader::begin_body() {
  body_at_ = parsed_;
  const RequestHead& request = head();
  body_apart_ = request.chunked || request.content_length > capacity_ - body_at_;
  tensors_at_ = body_apart_ ? inference_header_length(request.http) : std::nullopt;
  if (tensors_at_) {
    body_.align(*tensors_at_);
  }
  if (body_apart_ && !request.chunked && make_room(request.content_length)) {
    const std::size_t here = std::min(size_ - parsed_, request.content_length);
    body_.append({bytes_.get() + parsed_, here});
    parsed_ += here;
  }
}

void RequestReader::parse_body() {
  if (!body_apart_) {
    if (size_ - body_at_ >= head().content_length) {
      parsed_ = body_at_ + head().content_length;
      state_ = State::kReady;
    }
  } else if (!head().chunked) {
    if (body_.size() == head().content_length) {
      state_ = State::kReady;
    }
  } else if (make_room(body_.size() + size_ - parsed_)) {
    parsed_ += parser_.parse_chunks({bytes_.get() + parsed_, size_ - parsed_}, body_);
    if (parser_.error()) {
      state_ = State::kRefused;
    } else if (parser_.chunks_done()) {
      state_ = State::kReady;
    }
  }
}

// For a body of this many bytes, which more may follow when it comes in chunks. False when all
// requests together would hold too much.
bool RequestReader::make_room(std::size_t bytes) {
  std::size_t room = bytes;
  if (head().chunked && bytes > body_.capacity()) {
    room = std::max(bytes, std::min(2 * body_.capacity(), limits_.body));
  }
  if (room > kSmallBody && !lease_.grow_to(room)) {
    crowded_ = Error(ErrorCode::kOverloaded,
                     "the server holds too many bytes of other requests to take this body of " +
                         std::to_string(bytes) + " bytes; try again later");
    state_ = State::kRefused;
    return false;
  }
  body_.reserve(room);
  return true;
}

HttpRequest RequestReader::request() noexcept {
  HttpRequest http = head().http;
  http.body =
      body_apart_ ? body_.view() : std::string_view(bytes_.get() + body_at_, head().content_length);
  if (tensors_at_) {
    http.memory = body_.lend();
  }
  return http;
}

std::size_t RequestReader::body_bytes() const noexcept {
  return body_apart_ ? body_.size() : size_ - body_at_;
}

void RequestReader::next() {
  parser_.reset();
  body_.clear(kKeptBody);
  lease_.give_back();
  crowded_.reset();
  body_apart_ = false;
  tensors_at_.reset();
  state_ = State::kIdle;
}

void RequestReader::discard() {
  parsed_ = size_ = 0;
  next();
}

// Moves what is not read yet down to offset `to`.
void RequestReader::pull_up(std::size_t to) noexcept {
  std::memmove(bytes_.get() + to, bytes_.get() + parsed_, size_ - parsed_);
  size_ -= parsed_ - to;
  parsed_ = to;
}

}  // namespace maas
