// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "maas/base/clock.h"
#include "maas/runtime/model.h"

namespace maas {

// The requests that a handler answers, for calls of models on their behalf. The deadlines are times
// of this clock.
struct RunningItems {
  std::span<const BatchItem> items;
  const Clock* clock = nullptr;

  // Those whose handler runs on this thread.
  static RunningItems& current() noexcept;
};

// Says, while it lives, that this thread runs a handler for these requests.
class RunningScope {
 public:
  explicit RunningScope(const RunningItems& running) noexcept : outer_(RunningItems::current()) {
    RunningItems::current() = running;
  }
  ~RunningScope() { RunningItems::current() = outer_; }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;

 private:
  const RunningItems outer_;
};

// The same, kept by what runs elsewhere: a coroutine.
struct CallerHandle {
  std::vector<BatchItem> items;
  std::shared_ptr<Clock> clock;

  [[nodiscard]] RunningItems running() const noexcept { return {items, clock.get()}; }
};

}  // namespace maas
