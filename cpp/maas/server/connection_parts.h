// SPDX-License-Identifier: Apache-2.0
// How long a Connection waits, how its coroutine does, and its smallest steps; for connection.cc
// alone.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <string_view>
#include <utility>

#include "maas/server/connection.h"

namespace maas {

inline constexpr auto kLinger = std::chrono::seconds(2);
// How long an idle connection may keep a draining server that has answered everything: one that has
// sent nothing yet, and one that was served and may be used to ask whether the server is ready.
inline constexpr auto kFirstGrace = std::chrono::milliseconds(500);
inline constexpr auto kIdleGrace = std::chrono::milliseconds(200);
// How long a client that has ended its side waits for its answer before it is asked for a sign.
inline constexpr auto kProbeDelay = std::chrono::milliseconds(10);
// An interim response, of which a client takes any number: one that only ended its side passes over
// it, the system of one that has gone answers with a reset.
inline constexpr std::string_view kProcessing = "HTTP/1.1 102 Processing\r\n\r\n";
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// The coroutine runs at once and destroys itself when it ends.
struct Connection::Task {
  struct promise_type {
    explicit promise_type(Connection& c) noexcept : connection(c) {}
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept { connection.end(); }
    // Only memory can run out; the other connections need not suffer.
    void unhandled_exception() noexcept { connection.end(); }
    Connection& connection;
  };
};

struct Connection::Pause {
  Connection& connection;
  Wait why;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept {
    connection.wait_ = why;
    connection.waiter_ = waiter;
  }
  void await_resume() const noexcept {}
};

struct Connection::Input {
  Connection& connection;
  [[nodiscard]] bool await_ready() const {
    if (!connection.ended_input_ && !connection.reading_) {
      connection.read(connection.reader_.space());
    }
    return connection.ended_input_;
  }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept {
    connection.pause(Wait::kInput).await_suspend(waiter);
  }
  [[nodiscard]] bool await_resume() const noexcept {
    return !connection.ended_input_ && !connection.timed_out_;
  }
};

// What is waited for ends, and the coroutine goes on.
inline void Connection::interrupt() noexcept {
  timed_out_ = true;
  socket_.cancel();
}

inline void Connection::refuse(const Error& error) {
  failed_ = true;
  exchange_->fail(error);
}

inline void Connection::count_answered() noexcept {
  if (std::exchange(counted_, false)) {
    io_.transport().state.in_flight.add(-1);
  }
}

inline void Connection::resume() noexcept {
  wait_ = Wait::kNothing;
  waiter_.resume();
  settle();
}

inline void Connection::settle() noexcept {
  if (ended_ && !reading_ && !writing_ && !awaiting_reset_) {
    io_.remove(self_);
  }
}

inline void Connection::end() noexcept {
  ended_ = true;
  io_.cancel_timer(*this);
  count_answered();
  let_go();
  socket_.close();
}

inline Connection::Input Connection::input() {
  return {*this};
}

inline Connection::Pause Connection::pause(Wait why) {
  return {*this, why};
}

}  // namespace maas
