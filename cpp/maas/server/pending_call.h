// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/server/byte_lease.h"
#include "maas/server/exchange.h"
#include "maas/server/outgoing_stream.h"
#include "maas/server/server.h"
#include "maas/server/server_state.h"

namespace maas {

// One request without a socket, as Server::begin() gives it. Its threads are those that call it,
// and any may. The server must outlive it; dropping it is a client that leaves.
class PendingCall final : public ExchangeHost {
 public:
  PendingCall(Server::Call call, Clock& clock, ServerState& state, ByteBudget& bytes);
  ~PendingCall();
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  // Runs the handler here: when it returns the request is in its model's queue, or answered.
  void begin(const std::function<void(Exchange&)>& dispatch);
  // Whether wait() would return at once. A deadline that has passed counts from here on.
  bool done();
  // `listener` is told from now on whenever there is news, by whichever thread makes it; kept
  // weakly.
  void watch(const std::shared_ptr<StreamListener>& listener);
  // How long it may still take: done() is to be asked then. max() when it is answered.
  Duration remaining();
  // Blocks until it is answered, by 504 at its deadline; the same answer each time. The body of a
  // stream is to be read.
  Server::Answer wait();
  // The next bytes of a stream's body; blocks until there are some, and gives none at its end.
  std::string read();
  // As a client that leaves; the answer is 499 unless there is one already.
  void cancel();

 private:
  class Inbox;

  void watch(Exchange&) noexcept override {}
  void withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept override;
  void delivered() noexcept override {}

  void collect();
  void settle();
  void settle_stream() noexcept;
  std::optional<std::string> read_now(TimePoint& until);
  std::string next_bytes();

  Server::Call call_;
  Clock& clock_;
  ServerState& state_;
  ByteLease lease_;  // of the request's body, until it is answered
  const std::shared_ptr<Inbox> inbox_;
  std::mutex mutex_;             // makes the callers take turns; guards what follows
  std::vector<Header> headers_;  // views into call_
  const std::shared_ptr<Exchange> exchange_;
  std::vector<std::shared_ptr<Exchange>> mail_;
  std::optional<Server::Answer> answer_;
  OutgoingStream stream_;
};

}  // namespace maas
