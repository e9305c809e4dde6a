// SPDX-License-Identifier: Apache-2.0
#include "maas/server/connection.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/connection_parts.h"

namespace maas {

namespace asio = boost::asio;

Connection::Connection(IoThread& io, FileDescriptor socket, bool refused)
    : io_(io),
      socket_(io.context()),
      reader_(io.transport().limits(), io.transport().bytes),
      exchange_(std::make_shared<Exchange>(*this, io.mailbox())),
      refused_(refused) {
  Code ignored;
  std::ignore = socket_.assign(asio::ip::tcp::v4(), socket.release(), ignored);
  std::ignore = socket_.non_blocking(true, ignored);
  std::ignore = socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void Connection::start(std::list<Connection>::iterator self) {
  self_ = self;
  serve();
  settle();
}

// GCC 12 miscompiles a co_await inside a && of a loop's condition.
Connection::Task Connection::serve() {
  do {
    io_.set_timer(*this, io_.now() + io_.transport().options.idle_timeout);
    for (bool more = true; more && !advance();) {
      more = co_await input();
    }
    if (!begin_answer()) {
      co_return;
    }
    bool gone = false;
    if (!exchange_->is_answered()) {
      read_ahead();
      probe_soon();
      co_await pause(Wait::kAnswer);
      gone = !exchange_->is_answered() || broken_;
    }
    if (gone) {
      co_return;
    }
    compose();
    while (!write()) {
      await_writable();
      co_await pause(Wait::kOutput);
    }
  } while (end_answer());
  for (bool more = begin_linger(); more;) {
    more = co_await input();
    reader_.discard();
  }
}

void Connection::resume() noexcept {
  wait_ = Wait::kNothing;
  waiter_.resume();
  settle();
}

void Connection::settle() noexcept {
  if (ended_ && !reading_ && !writing_ && !awaiting_reset_) {
    io_.remove(self_);
  }
}

void Connection::end() noexcept {
  ended_ = true;
  io_.cancel_timer(*this);
  if (std::exchange(counted_, false)) {
    io_.transport().state.in_flight.add(-1);
  }
  let_go();
  Code ignored;
  std::ignore = socket_.close(ignored);
}

// Input

// True when there is a request to answer, or to refuse.
bool Connection::advance() {
  if (refused_) {
    return true;
  }
  const RequestReader::State before = reader_.state();
  switch (reader_.parse()) {
    case RequestReader::State::kIdle: return false;
    case RequestReader::State::kHead:
      if (before != RequestReader::State::kHead) {
        io_.set_timer(*this, io_.now() + io_.transport().options.header_timeout);
      }
      return false;
    case RequestReader::State::kBody:
      if (before != RequestReader::State::kBody || reader_.body_bytes() >= body_mark_ + kBodyStep) {
        read_body();
      }
      return false;
    case RequestReader::State::kReady:
    case RequestReader::State::kRefused: return true;
  }
  return true;
}

void Connection::read_body() {
  if (body_mark_ == 0 && reader_.head().expects_continue && reader_.body_bytes() == 0 &&
      !reader_.head().http_1_0) {
    Code ignored;  // a client that does not get it sends the body after a while all the same
    std::ignore = socket_.send(asio::buffer(kContinue), 0, ignored);
  }
  body_mark_ = reader_.body_bytes();
  io_.set_timer(*this, io_.now() + io_.transport().options.stall_timeout);
}

// While a request waits for its answer a read stays open: it takes what comes next, and shows when
// the client is gone.
void Connection::read_ahead() {
  if (!reading_ && !ended_input_) {
    const std::span<char> space = reader_.space_ahead();
    if (!space.empty()) {
      read(space);
    }
  }
}

void Connection::read(std::span<char> into) {
  reading_ = true;
  socket_.async_read_some(asio::buffer(into.data(), into.size()),
                          [this](const Code& error, std::size_t n) noexcept { on_read(error, n); });
}

void Connection::on_read(const Code& error, std::size_t n) noexcept {
  reading_ = false;
  io_.touch();
  if (error) {
    ended_input_ = true;
    // A client that has only ended its side still wants the answer.
    broken_ = broken_ || (error != asio::error::eof && error != asio::error::operation_aborted);
  } else {
    reader_.add(n);
  }
  if (wait_ == Wait::kInput || (wait_ == Wait::kAnswer && broken_)) {
    resume();
  } else {
    probe_soon();
    settle();
  }
}

// A client that has ended its side may have gone altogether; what it is sent brings that to light.
void Connection::probe_soon() noexcept {
  if (ended_input_ && !broken_ && !ended_ && !exchange_->is_answered() && exchange_->is_out() &&
      !reader_.head().http_1_0) {
    probe_at_ = io_.now() + kProbeDelay;
    io_.set_timer(*this, std::min(probe_at_, exchange_->request.deadline.at()));
  }
}

// NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for a wait of Asio's
void Connection::probe() noexcept {
  probe_at_ = TimePoint::max();
  io_.set_timer(*this, exchange_->request.deadline.at());
  Code error;
  const std::size_t sent = socket_.send(asio::buffer(kProcessing), 0, error);
  if (error == asio::error::would_block) {
    return;  // it has answers to read before it could pass over this
  }
  broken_ = error || sent != kProcessing.size();
  if (broken_) {
    resume();
  } else {
    await_reset();
  }
}

// The end of the input has been read, so only an error can still be reported.
void Connection::await_reset() {
  if (std::exchange(awaiting_reset_, true)) {
    return;
  }
  socket_.async_wait(Socket::wait_error, [this](const Code& error) noexcept {
    awaiting_reset_ = false;
    io_.touch();
    broken_ = broken_ || !error;
    if (wait_ == Wait::kAnswer && broken_) {
      resume();
    } else {
      settle();
    }
  });
}

// Answers

// False when there is nothing to answer: the client went, or has been idle for too long.
bool Connection::begin_answer() {
  const RequestReader::State state = reader_.state();
  const bool complete =
      state == RequestReader::State::kReady || state == RequestReader::State::kRefused;
  const bool too_late = timed_out_ && state != RequestReader::State::kIdle;
  if (!complete && !too_late && !refused_) {
    return false;
  }
  exchange_->request.id = RequestId::next();
  exchange_->arrived = io_.now();
  io_.transport().state.in_flight.add(1);
  counted_ = true;
  persistent_ = false;
  if (refused_) {
    refuse(Error(ErrorCode::kOverloaded, "there are too many connections; try again later"));
  } else if (state == RequestReader::State::kReady) {
    persistent_ = reader_.head().keep_alive;
    exchange_->http = reader_.request();
    io_.transport().dispatch(*exchange_);
  } else if (state == RequestReader::State::kRefused) {
    refuse(reader_.error());
  } else if (io_.gave_up()) {
    refuse(Error(ErrorCode::kUnavailable, "the server shut down before the request had arrived"));
  } else {
    refuse(Error(ErrorCode::kInvalidArgument, "the request did not arrive in time")
               .with_http_status(408));
  }
  return true;
}

void Connection::refuse(const Error& error) {
  failed_ = true;
  exchange_->fail(error);
}

void Connection::watch(Exchange& exchange) noexcept {
  io_.set_timer(*this, exchange.request.deadline.at());
  io_.flush_soon();
}

void Connection::withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept {
  io_.transport().state.withdrawals.add(served, withdrawal);
}

void Connection::delivered() noexcept {
  if (wait_ == Wait::kAnswer && exchange_->is_answered()) {
    resume();
  }
}

void Connection::compose() {
  // Counted before it is sent: who has an answer finds it in the metrics.
  ServerState& state = io_.transport().state;
  state.count_answer(exchange_->response.status);
  state.in_flight.add(-1);
  counted_ = false;
  persistent_ = persistent_ && !io_.draining();
  answer_.set(exchange_->response,
              {.request_id = exchange_->request.id.text(),
               .date = io_.date(),
               .keep_alive = persistent_,
               .http_1_0 = reader_.head().http_1_0},
              exchange_->http.method != Method::kHead);
}

// False when the client must take some of it first.
bool Connection::write() {
  while (!answer_.done() && !broken_) {
    const OutgoingAnswer::Rest rest = answer_.rest();
    const std::array<asio::const_buffer, 2> both = {asio::buffer(rest.head),
                                                    asio::buffer(rest.body)};
    Code error;
    answer_.advance(rest.body.empty() ? socket_.send(both[0], 0, error)
                                      : socket_.send(both, 0, error));
    if (error == asio::error::would_block) {
      return false;
    }
    broken_ = broken_ || error;
  }
  return true;
}

void Connection::await_writable() {
  io_.set_timer(*this, io_.now() + io_.transport().options.stall_timeout);
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [this](const Code& error) noexcept {
    writing_ = false;
    io_.touch();
    broken_ = broken_ || error;
    resume();
  });
}

// Whether another request may follow.
bool Connection::end_answer() {
  served_ = true;
  let_go();
  failed_ = failed_ || (!persistent_ && reader_.has_more());
  if (broken_ || !persistent_ || io_.draining()) {
    return false;
  }
  reader_.next();
  body_mark_ = 0;
  probe_at_ = TimePoint::max();
  return true;
}

// Ready for another request; a job that has not come back will find nobody.
void Connection::let_go() noexcept {
  if (exchange_->is_out()) {
    exchange_->leave();
    io_.flush();
    exchange_->detach();
    exchange_ = std::make_shared<Exchange>(*this, io_.mailbox());
  } else {
    exchange_->reset();
  }
}

// Whether to read on behind a last answer: a socket closed with bytes unread is reset, and the
// client may lose the answer.
bool Connection::begin_linger() {
  if (!failed_ || broken_ || ended_input_) {
    return false;
  }
  Code ignored;
  std::ignore = socket_.shutdown(Socket::shutdown_send, ignored);
  timed_out_ = false;
  reader_.discard();
  io_.set_timer(*this, io_.now() + kLinger);
  return true;
}

// Time and end

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
      break;
    case Wait::kOutput: broken_ = true; break;
    case Wait::kNothing: return;
  }
  interrupt();
}

// What is waited for ends, and the coroutine goes on.
void Connection::interrupt() noexcept {
  timed_out_ = true;
  Code ignored;
  std::ignore = socket_.cancel(ignored);
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
  }
}

void Connection::close() noexcept {
  broken_ = true;
  Code ignored;
  std::ignore = socket_.close(ignored);
  if (wait_ == Wait::kAnswer) {
    exchange_->shut_down();
    resume();
  }
}

}  // namespace maas
