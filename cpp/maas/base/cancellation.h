// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace maas {

// Whether the caller of one request still wants its answer: set by whoever serves the caller, read
// by the code that works for it. With a parent it is cancelled when that is: work done for other
// work. Any thread may call it; relaxed, because nothing is ordered by it.
class Cancellation {
 public:
  Cancellation() = default;
  explicit Cancellation(std::shared_ptr<const Cancellation> parent) noexcept
      : parent_(std::move(parent)) {}

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed) || (parent_ && parent_->cancelled());
  }

 private:
  std::atomic<bool> cancelled_{false};
  const std::shared_ptr<const Cancellation> parent_;
};

}  // namespace maas
