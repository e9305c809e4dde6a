// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>

#include "maas/base/file_descriptor.h"
#include "maas/server/client_socket.h"
#include "maas/server/exchange.h"
#include "maas/server/io_thread.h"
#include "maas/server/outgoing_answer.h"
#include "maas/server/request_reader.h"
#include "maas/server/timer_queue.h"

namespace maas {

// One client's connection: a coroutine that reads a request, has it answered, writes the answer,
// and begins again. Owned by its IoThread and used on it alone. A job that is out when it ends
// comes back to nobody.
class Connection final : public ExchangeHost, public Timed {
 public:
  Connection(IoThread& io, FileDescriptor socket, bool refused);
  ~Connection() override = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // From here on it takes itself out of its list when it is done.
  void start(std::list<Connection>::iterator self);
  void drain() noexcept;
  void give_up() noexcept;
  void close() noexcept;

  void watch(Exchange& exchange) noexcept override;
  void withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept override;
  void delivered() noexcept override;
  void on_time() noexcept override;

 private:
  enum class Wait : std::uint8_t { kNothing, kInput, kAnswer, kOutput, kItems };
  struct Task;
  struct Input;
  struct Pause;

  Task serve();
  Input input();  // true when bytes have come, false when none will
  Pause pause(Wait why);
  void resume() noexcept;
  void settle() noexcept;  // may destroy the connection
  void end() noexcept;

  bool advance();
  void begin_body();
  bool body_flows() noexcept;
  void read_ahead();
  void read(std::span<char> into);
  void on_read(ClientSocket::Read how, std::size_t n) noexcept;
  void probe_soon() noexcept;
  void probe() noexcept;
  void await_reset();

  bool begin_answer();
  void refuse(const Error& error);
  void compose();
  Wait send();
  bool write();
  void await_writable();
  void await_items();
  void abort_stream(const Error& why) noexcept;
  bool end_answer();
  void count_answered() noexcept;
  void let_go() noexcept;
  void note_access() noexcept;
  bool begin_linger();
  void interrupt() noexcept;

  IoThread& io_;
  std::list<Connection>::iterator self_;
  ClientSocket socket_;
  RequestReader reader_;
  std::shared_ptr<Exchange> exchange_;

  Wait wait_ = Wait::kNothing;
  std::coroutine_handle<> waiter_;
  std::size_t body_mark_ = 0;  // bytes of the body when its timer was set
  std::size_t requests_ = 0;
  std::size_t sent_bytes_ = 0;  // of this answer
  TimePoint probe_at_ = TimePoint::max();
  OutgoingAnswer answer_;
  bool reading_ = false;
  bool writing_ = false;
  bool awaiting_reset_ = false;
  bool counted_ = false;     // in ServerState::in_flight
  bool served_ = false;      // a request
  bool refused_ = false;     // for there are too many
  bool persistent_ = false;  // stays open behind this answer
  bool failed_ = false;      // the request was refused: the client may still be sending
  bool timed_out_ = false;
  bool ended_input_ = false;
  bool broken_ = false;
  bool ended_ = false;
};

}  // namespace maas
