// SPDX-License-Identifier: Apache-2.0
// What befalls a Connection from outside: time that passes, a server that ends.
#include <chrono>
#include <tuple>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/connection.h"
#include "maas/server/connection_parts.h"

namespace maas {

void Connection::begin_body() {
  if (reader_.head().expects_continue && reader_.body_bytes() == 0 && !reader_.head().http_1_0) {
    // A client that does not get it sends the body after a while all the same.
    std::ignore = socket_.send(kContinue);
  }
  body_mark_ = reader_.body_bytes();
  io_.set_timer(*this, io_.now() + io_.transport().limits().body_grace);
}

// Whether the body has brought enough since it was last asked.
bool Connection::body_flows() noexcept {
  const HttpLimits& limits = io_.transport().limits();
  const double seconds = std::chrono::duration<double>(limits.body_grace).count();
  const std::size_t before = std::exchange(body_mark_, reader_.body_bytes());
  if (static_cast<double>(body_mark_ - before) < static_cast<double>(limits.body_rate) * seconds) {
    return false;
  }
  io_.set_timer(*this, io_.now() + limits.body_grace);
  return true;
}

void Connection::on_time() noexcept {
  switch (wait_) {
    case Wait::kAnswer:
      if (probe_at_ <= io_.now() && !exchange_->request.deadline.expired(io_.now())) {
        probe();
      } else {
        exchange_->expire();
        resume();
      }
      return;
    case Wait::kInput:
      if (served_ && io_.draining() && reader_.state() == RequestReader::State::kIdle &&
          io_.transport().state.in_flight.value() > 0) {
        drain();  // others still wait for their answers
        return;
      }
      if (reader_.state() == RequestReader::State::kBody && body_flows()) {
        return;
      }
      break;
    case Wait::kOutput: broken_ = true; break;
    case Wait::kItems:
      if (answer_.stream().late(io_.now())) {
        exchange_->expire();
        abort_stream(Error(ErrorCode::kDeadlineExceeded, "the next item did not come in time"));
      } else {
        resume();
      }
      return;
    case Wait::kNothing: return;
  }
  interrupt();
}

void Connection::drain() noexcept {
  if (wait_ == Wait::kInput && reader_.state() == RequestReader::State::kIdle) {
    io_.set_timer(*this, io_.now() + (served_ ? kIdleGrace : kFirstGrace));
  }
}

void Connection::give_up() noexcept {
  if (wait_ == Wait::kAnswer) {
    exchange_->shut_down();
    resume();
  } else if (wait_ == Wait::kInput) {
    interrupt();
  } else if (answer_.stream().active()) {
    exchange_->shut_down();
    abort_stream(Error(ErrorCode::kUnavailable, "the server shut down before the stream ended"));
  }
}

void Connection::close() noexcept {
  broken_ = true;
  socket_.close();
  if (wait_ == Wait::kAnswer || wait_ == Wait::kItems) {
    exchange_->shut_down();
    resume();
  }
}

// For the access log, where there is one.
void Connection::note_access() noexcept {
  AccessLog::Ring* const ring = io_.access();
  if (ring == nullptr) {
    return;
  }
  using Milliseconds = std::chrono::milliseconds;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  AccessRecord record;
  record.unix_ms = std::chrono::duration_cast<Milliseconds>(since).count();
  record.took = io_.now() - exchange_->arrived;
  record.bytes_in = exchange_->http.body.size();
  record.bytes_out = sent_bytes_;
  record.status = exchange_->response.status;
  record.id = exchange_->request.id;
  record.trace.set(exchange_->trace.trace_id());
  record.method.set(exchange_->http.verb);
  record.path.set(exchange_->http.path);
  record.client.set(socket_.peer());
  ring->note(record);
}

}  // namespace maas
