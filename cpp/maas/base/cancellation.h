// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace maas {

// Whether the caller of one request still wants its answer: set by whoever serves the caller, read
// by the code that works for it. Any thread may call it; relaxed, because nothing is ordered by it.
class Cancellation {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace maas
