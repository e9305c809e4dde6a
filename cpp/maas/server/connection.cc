// SPDX-License-Identifier: Apache-2.0
#include "maas/server/connection.h"

#include <algorithm>
#include <span>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/connection_parts.h"

namespace maas {

Connection::Connection(IoThread& io, FileDescriptor socket, bool refused)
    : io_(io),
      socket_(io.context(), std::move(socket)),
      reader_(io.transport().limits(), io.transport().bytes),
      exchange_(std::make_shared<Exchange>(*this, io.mailbox())),
      refused_(refused) {}

void Connection::start(std::list<Connection>::iterator self) {
  self_ = self;
  serve();
  settle();
}

// GCC 12 miscompiles a co_await inside a && of a loop's condition.
Connection::Task Connection::serve() {
  do {
    io_.set_timer(*this, io_.now() + io_.transport().limits().idle);
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
    for (Wait next = send(); next != Wait::kNothing; next = send()) {
      co_await pause(next);
    }
  } while (end_answer());
  for (bool more = begin_linger(); more;) {
    more = co_await input();
    reader_.discard();
  }
}

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
        io_.set_timer(*this, io_.now() + io_.transport().limits().header_time);
      }
      return false;
    case RequestReader::State::kBody:
      if (before != RequestReader::State::kBody) {
        begin_body();
      }
      return false;
    case RequestReader::State::kReady:
    case RequestReader::State::kRefused: return true;
  }
  return true;
}

// While a request waits for its answer a read stays open: it takes what comes next, and shows when
// the client is gone.
void Connection::read_ahead() {
  if (!reading_ && !ended_input_ && exchange_->takes_more()) {
    const std::span<char> space = reader_.space_ahead();
    if (!space.empty()) {
      read(space);
    }
  }
}

void Connection::read(std::span<char> into) {
  reading_ = true;
  socket_.read(into, [this](ClientSocket::Read how, std::size_t n) noexcept { on_read(how, n); });
}

void Connection::on_read(ClientSocket::Read how, std::size_t n) noexcept {
  reading_ = false;
  io_.touch();
  if (how == ClientSocket::Read::kBytes) {
    reader_.add(n);
  } else {
    ended_input_ = true;
    // A client that has only ended its side still wants the answer.
    broken_ = broken_ || how == ClientSocket::Read::kBroken;
  }
  if (wait_ == Wait::kInput || (wait_ == Wait::kAnswer && broken_) || wait_ == Wait::kItems) {
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
  const ClientSocket::Sent sent = socket_.send(kProcessing);
  if (sent.blocked) {
    return;  // it has answers to read before it could pass over this
  }
  broken_ = sent.bytes != kProcessing.size();
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
  socket_.await_reset([this](bool broken) noexcept {
    awaiting_reset_ = false;
    io_.touch();
    broken_ = broken_ || broken;
    if ((wait_ == Wait::kAnswer || wait_ == Wait::kItems) && broken_) {
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
    if (state != RequestReader::State::kIdle) {
      io_.transport().state.cut_short.add();
    }
    return false;
  }
  exchange_->arrived = io_.now();
  sent_bytes_ = 0;
  io_.transport().state.in_flight.add(1);
  counted_ = true;
  persistent_ = false;
  exchange_->request.id = {};
  if (state == RequestReader::State::kReady) {
    exchange_->request.id = RequestId::accepted(reader_.head().http.header("X-Request-Id"));
  }
  if (exchange_->request.id.text().empty()) {
    exchange_->request.id = RequestId::next();
  }
  if (refused_) {
    refuse(Error(ErrorCode::kOverloaded, "there are too many connections; try again later"));
  } else if (state == RequestReader::State::kReady) {
    persistent_ = reader_.head().keep_alive && ++requests_ < io_.transport().limits().requests;
    exchange_->http = reader_.request();
    exchange_->http.client = socket_.peer();
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

void Connection::watch(Exchange& exchange) noexcept {
  io_.set_timer(*this, exchange.request.deadline.at());
  io_.flush_soon();
}

void Connection::withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept {
  io_.transport().state.withdrawals.add(served, withdrawal);
}

void Connection::delivered() noexcept {
  if (wait_ == Wait::kItems || (wait_ == Wait::kAnswer && exchange_->is_answered())) {
    resume();
  }
}

void Connection::compose() {
  const HttpResponse& response = exchange_->response;
  const bool http_1_0 = reader_.head().http_1_0;
  // Counted before it is sent: who has an answer finds it in the metrics.
  io_.transport().state.count_answer(response.status);
  const bool upgraded = response.stream.upgraded;
  persistent_ = persistent_ && !io_.draining() && !upgraded && !(response.stream && http_1_0);
  answer_.set(response,
              {.request_id = exchange_->request.id.text(),
               .date = io_.date(),
               .fields = exchange_->cors,
               .keep_alive = persistent_ || upgraded,
               .http_1_0 = http_1_0},
              exchange_->http.method != Method::kHead, io_.now());
  if (!response.stream) {
    count_answered();
  }
}

// What to wait for before the rest of the answer can be sent; nothing when none is left.
Connection::Wait Connection::send() {
  do {
    if (!write()) {
      await_writable();
      return Wait::kOutput;
    }
    if (broken_ || answer_.done()) {
      return Wait::kNothing;
    }
  } while (answer_.refill(io_.now()));
  await_items();
  return Wait::kItems;
}

// False when the client must take some of it first.
bool Connection::write() {
  while (!answer_.is_sent() && !broken_) {
    const ClientSocket::Sent sent = socket_.send(answer_.rest());
    answer_.advance(sent.bytes);
    sent_bytes_ += sent.bytes;
    if (sent.blocked) {
      return false;
    }
    broken_ = broken_ || sent.broken;
  }
  return true;
}

void Connection::await_writable() {
  io_.set_timer(*this, io_.now() + io_.transport().limits().write_stall);
  writing_ = true;
  socket_.await_writable([this](bool broken) noexcept {
    writing_ = false;
    io_.touch();
    broken_ = broken_ || broken;
    resume();
  });
}

// While a stream is quiet a read stays open, as before an answer. What it brings on a connection
// that was upgraded is for the application.
void Connection::await_items() {
  if (exchange_->response.stream.upgraded) {
    exchange_->receive(reader_.take_ahead());
  }
  read_ahead();
  if (ended_input_ && exchange_->response.stream.upgraded) {
    exchange_->end_input();
  } else if (ended_input_ && !awaiting_reset_) {
    answer_.stream().probe();  // what it is sent brings to light whether it has gone altogether
    await_reset();
  }
  io_.set_timer(*this, answer_.stream().due());
}

void Connection::abort_stream(const Error& why) noexcept {
  answer_.stream().fail(why);
  if (wait_ == Wait::kItems) {
    resume();
  }
}

// Whether another request may follow.
bool Connection::end_answer() {
  served_ = true;
  count_answered();
  note_access();
  let_go();
  persistent_ = persistent_ && !answer_.aborted();
  // Closed with care, where else the client could lose what it was sent.
  failed_ = failed_ || answer_.aborted() || (!persistent_ && reader_.has_more());
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
  if (exchange_->is_shared()) {
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
  socket_.end_output();
  timed_out_ = false;
  reader_.discard();
  io_.set_timer(*this, io_.now() + kLinger);
  return true;
}

}  // namespace maas
