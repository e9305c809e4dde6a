// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "maas/base/clock.h"
#include "maas/server/exchange.h"
#include "maas/server/server.h"

namespace maas {

// One request without a socket: the calling thread is the exchange's host and sleeps until the
// answer. It keeps itself alive while a job that nobody waits for any more is still running.
class LocalCall final : public ExchangeHost, public std::enable_shared_from_this<LocalCall> {
 public:
  // Use make_shared.
  explicit LocalCall(Clock& clock) : clock_(clock) {}

  // Blocks until `dispatch`, and what it has started, has answered. Call it once.
  Server::Answer run(const Server::Call& call, const std::function<void(Exchange&)>& dispatch);

  void post(std::shared_ptr<Exchange> exchange) noexcept override;
  void answered(Exchange& exchange) noexcept override;
  void watch(Exchange& exchange) noexcept override;

 private:
  void wait(Exchange& exchange);

  Clock& clock_;
  Deadline deadline_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> mail_;  // guarded by mutex_
  int jobs_ = 0;                                 // guarded by mutex_; watched and not yet posted
  std::shared_ptr<LocalCall> self_;              // guarded by mutex_; set while jobs_ > 0
};

}  // namespace maas
