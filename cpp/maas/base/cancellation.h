// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "maas/base/unique_function.h"

namespace maas {

// Whether the caller of one request still wants its answer: set by whoever serves the caller, read
// by the code that works for it. Any thread may call it; the flag is relaxed, because nothing is
// ordered by it.
class Cancellation {
 public:
  using Hook = UniqueFunction<void()>;

  void cancel() noexcept {
    std::vector<Hook> hooks;
    {
      const std::lock_guard lock(mutex_);
      cancelled_.store(true, std::memory_order_relaxed);
      hooks.swap(hooks_);
    }
    for (Hook& hook : hooks) {
      hook();
    }
  }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }
  // Called once, by the thread that cancels, or here when that has happened. Must not throw, and
  // holds nothing that a request should not keep alive.
  void on_cancel(Hook hook) const {
    {
      const std::lock_guard lock(mutex_);
      if (!cancelled()) {
        hooks_.push_back(std::move(hook));
        return;
      }
    }
    hook();
  }

 private:
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  mutable std::vector<Hook> hooks_;  // guarded by mutex_
};

}  // namespace maas
