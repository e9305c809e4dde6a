// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "maas/base/guarded.h"
#include "maas/base/metrics.h"
#include "maas/server/published.h"
#include "maas/server/withdrawals.h"

namespace maas {

// What the transport and the routes of one server share. Owned by the Server; any thread may use
// it.
struct ServerState {
  std::atomic<bool> ready{true};  // not draining
  std::atomic<int> port{0};       // once it listens
  Guarded<std::string> unready;   // what a service says is wrong; empty when all is well
  Gauge in_flight;                // requests that are read and not yet answered
  Gauge connections;
  std::array<Counter, 6> answers;  // by status class; [4] counts 4xx
  Counter cut_short;               // requests whose client went before they had arrived
  Counter access_dropped;          // lines of the access log that could not be written
  Withdrawals withdrawals;
  Snapshot<Published> published{std::make_shared<const Published>()};

  void count_answer(int status) noexcept {
    answers[static_cast<std::size_t>(status / 100) % answers.size()].add();
  }
};

}  // namespace maas
