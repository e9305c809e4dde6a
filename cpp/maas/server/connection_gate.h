// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "maas/base/clock.h"
#include "maas/base/metrics.h"

namespace maas {

// Counts the open connections of a server and bounds them. Any thread may call it.
class ConnectionGate {
 public:
  enum class Entry : std::uint8_t {
    kAdmitted,
    kRefused,  // over the bound: it is told so and closed
    kFull,     // so far over the bound that it is closed without a word
  };

  ConnectionGate(std::size_t limit, Gauge& open) : limit_(limit), open_(open) {}

  Entry enter();
  // One for each enter() that was not kFull.
  void leave() noexcept;
  // Waits until no connection is left; false when that takes until the deadline.
  bool wait_empty(Clock& clock, Deadline deadline);

 private:
  const std::size_t limit_;
  Gauge& open_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t count_ = 0;  // guarded by mutex_
};

}  // namespace maas
