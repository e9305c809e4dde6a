// SPDX-License-Identifier: Apache-2.0
#include "maas/server/io_thread.h"

#include <utility>

#include "maas/base/error.h"
#include "maas/server/connection.h"
#include "maas/server/response_head.h"

namespace maas {
namespace {

namespace asio = boost::asio;

// Other threads only post to the context, so that sockets and timers need no locks.
constexpr int kOneThread = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO;

}  // namespace

// Keeps the context, so that a thread that answers a job can always post to it.
class IoThread::Inbox final : public Mailbox,
                              public Wakeable,
                              public std::enable_shared_from_this<Inbox> {
 public:
  explicit Inbox(IoThread& owner) : owner_(owner) {}

  // NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for what is posted
  void wake(const void* /*reason*/) noexcept override {
    asio::post(context, [this] { owner_.read_mail(); });
  }

  asio::io_context context{kOneThread};

 private:
  // NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for the request
  void notify() noexcept override { WakeScope::request(shared_from_this()); }

  IoThread& owner_;  // alive while the context runs
};

IoThread::IoThread(const Transport& transport, std::string name)
    : transport_(transport),
      name_(std::move(name)),
      inbox_(std::make_shared<Inbox>(*this)),
      access_(transport.access != nullptr ? &transport.access->add_ring() : nullptr),
      context_(inbox_->context),
      timer_(context_),
      now_(transport.clock.now()) {}

// NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for what is posted
IoThread::~IoThread() {
  stop();
}

void IoThread::run_soon(UniqueFunction<void()> task) {
  asio::post(context_, std::move(task));
}

void IoThread::adopt(FileDescriptor socket, bool refused) {
  run_soon([this, socket = std::move(socket), refused]() mutable {
    touch();
    open(std::move(socket), refused);
  });
}

void IoThread::start() {
  thread_ = Thread(name_, [this] { run(); });
}

void IoThread::drain() {
  run_soon([this] {
    touch();
    draining_ = true;
    for (Connection& connection : connections_) {
      connection.drain();
    }
  });
}

void IoThread::give_up() {
  run_soon([this] {
    touch();
    draining_ = gave_up_ = true;
    for (auto it = connections_.begin(); it != connections_.end();) {
      (it++)->give_up();  // may remove itself
    }
  });
}

void IoThread::stop() {
  run_soon([this] { close_all(); });
  thread_.join();
  inbox_->close();
}

std::shared_ptr<Mailbox> IoThread::mailbox() const noexcept {
  return inbox_;
}

void IoThread::run() {
  WakeScope wakes(true);
  wakes_ = &wakes;
  const auto work = asio::make_work_guard(context_);
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (...) {
      transport_.log({LogLevel::kError, "an I/O thread caught: " + current_error().message(), {}});
    }
  }
}

void IoThread::open(FileDescriptor socket, bool refused) {
  if (stopping_) {
    transport_.gate.leave();
    return;
  }
  connections_.emplace_front(*this, std::move(socket), refused);
  connections_.front().start(connections_.begin());
}

void IoThread::read_mail() {
  inbox_->take(mail_);
  touch();
  for (const auto& exchange : mail_) {
    exchange->deliver(now_);
  }
  mail_.clear();
}

std::string_view IoThread::date() {
  if (now_ >= date_until_) {
    date_ = http_date(std::time(nullptr));
    date_until_ = now_ + std::chrono::seconds(1);
  }
  return date_;
}

// NOLINTNEXTLINE(bugprone-exception-escape): throws only without memory for a wait of Asio's
void IoThread::set_timer(Timed& timed, TimePoint due) noexcept {
  if (timers_.set(timed, due)) {
    arm_timer();
  }
}

void IoThread::arm_timer() {
  if (timers_.next() == TimePoint::max()) {
    return;
  }
  // What is left by the server's clock, which need not be the timer's.
  timer_.expires_after(timers_.next() - transport_.clock.now());
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      touch();
      timers_.run(now_);
      arm_timer();
    }
  });
}

void IoThread::flush_soon() {
  if (!std::exchange(flushing_, true)) {
    asio::post(context_, [this] { flush(); });
  }
}

void IoThread::flush() noexcept {
  flushing_ = false;
  wakes_->flush();
}

void IoThread::close_all() {
  touch();
  stopping_ = true;
  for (auto it = connections_.begin(); it != connections_.end();) {
    (it++)->close();  // may remove itself
  }
  if (connections_.empty()) {
    context_.stop();
  }
}

void IoThread::remove(std::list<Connection>::iterator connection) noexcept {
  connections_.erase(connection);
  transport_.gate.leave();
  if (stopping_ && connections_.empty()) {
    context_.stop();
  }
}

}  // namespace maas
