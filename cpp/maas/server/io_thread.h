// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/byte_budget.h"
#include "maas/base/clock.h"
#include "maas/base/file_descriptor.h"
#include "maas/base/log.h"
#include "maas/base/unique_function.h"
#include "maas/exec/thread.h"
#include "maas/exec/wake.h"
#include "maas/server/access_log.h"
#include "maas/server/asio.h"
#include "maas/server/connection_gate.h"
#include "maas/server/exchange.h"
#include "maas/server/mailbox.h"
#include "maas/server/request_parser.h"
#include "maas/server/server.h"
#include "maas/server/server_state.h"
#include "maas/server/timer_queue.h"

namespace maas {

class Connection;

// What the I/O threads of one server share; outlives them.
struct Transport {
  std::function<void(Exchange&)> dispatch;  // begins to answer; called by all the threads
  ServerState& state;
  ConnectionGate& gate;
  const ServerOptions& options;
  Clock& clock;
  ByteBudget& bytes;
  LogSink log;
  AccessLog* access = nullptr;  // where there is one

  [[nodiscard]] const HttpLimits& limits() const noexcept { return options.limits; }
};

// One thread that serves the connections it was given, each from its first byte to its last, and
// sleeps while none has anything to do. Owned by the Server. The first group of methods may be
// called from any thread, the second only from the thread itself.
class IoThread final {
 public:
  IoThread(const Transport& transport, std::string name);
  ~IoThread();  // stops
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Serves the connection; a refused one is only told that there are too many.
  void adopt(FileDescriptor socket, bool refused);
  // Runs it on the thread, or before the thread has started.
  void run_soon(UniqueFunction<void()> task);
  void start();
  // Answers say `Connection: close` from now on, and connections are closed when they are idle.
  void drain();
  // What is not answered yet is refused with unavailable, and all connections are closed.
  void give_up();
  // Closes all connections and joins. Jobs that models are running for them come back to nobody.
  void stop();

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  // Where the connections' jobs come back.
  [[nodiscard]] std::shared_ptr<Mailbox> mailbox() const noexcept;
  [[nodiscard]] const Transport& transport() const noexcept { return transport_; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  // Reads the clock: at the beginning of everything that the thread is woken for.
  void touch() noexcept { now_ = transport_.clock.now(); }
  [[nodiscard]] std::string_view date();
  // Where to note answers; null where nobody wants to know.
  [[nodiscard]] AccessLog::Ring* access() const noexcept { return access_; }
  void set_timer(Timed& timed, TimePoint due) noexcept;
  void cancel_timer(Timed& timed) noexcept { timers_.cancel(timed); }
  // Executors that were asked for work start when what has arrived by now is handed over.
  void flush_soon();
  void flush() noexcept;
  void remove(std::list<Connection>::iterator connection) noexcept;

 private:
  class Inbox;

  void run();
  void open(FileDescriptor socket, bool refused);
  void read_mail();
  void arm_timer();
  void close_all();

  const Transport& transport_;
  const std::string name_;
  const std::shared_ptr<Inbox> inbox_;
  AccessLog::Ring* const access_;
  boost::asio::io_context& context_;  // of the inbox

  // Of the thread.
  boost::asio::steady_timer timer_;
  TimerQueue timers_;
  TimePoint now_;
  TimePoint date_until_{};
  std::string date_;
  std::list<Connection> connections_;
  std::vector<std::shared_ptr<Exchange>> mail_;
  WakeScope* wakes_ = nullptr;
  bool flushing_ = false;
  bool draining_ = false;
  bool gave_up_ = false;
  bool stopping_ = false;

  Thread thread_;
};

}  // namespace maas
