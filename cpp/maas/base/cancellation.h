// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>

namespace maas {

// Whether the caller of one request still wants its answer: set by whoever serves the caller, read
// by the code that works for it. Any thread may call it; relaxed, because nothing is ordered by it.
// Across processes two of them share a flag in memory that both see: one copies to it, the other
// from it. Each lets go of the flag (null) before its memory goes away.
class Cancellation {
 public:
  void cancel() noexcept {
    own_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    if (copy_ != nullptr) {
      copy_->store(true, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] bool cancelled() const noexcept {
    if (own_.load(std::memory_order_relaxed)) {
      return true;
    }
    if (!has_source_.load(std::memory_order_relaxed)) {
      return false;
    }
    const std::lock_guard lock(mutex_);
    return source_ != nullptr && source_->load(std::memory_order_relaxed);
  }

  // Sets `flag` too, at once if this is cancelled already.
  void copy_to(std::atomic<bool>* flag) const noexcept {
    const std::lock_guard lock(mutex_);
    copy_ = flag;
    if (flag != nullptr && own_.load(std::memory_order_relaxed)) {
      flag->store(true, std::memory_order_relaxed);
    }
  }
  // Is cancelled when `flag` is set; what it was when the flag is let go, it stays.
  void copy_from(const std::atomic<bool>* flag) noexcept {
    const std::lock_guard lock(mutex_);
    if (source_ != nullptr && source_->load(std::memory_order_relaxed)) {
      own_.store(true, std::memory_order_relaxed);
    }
    source_ = flag;
    has_source_.store(flag != nullptr, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> own_{false};
  std::atomic<bool> has_source_{false};
  mutable std::mutex mutex_;
  mutable std::atomic<bool>* copy_ = nullptr;  // guarded by mutex_
  const std::atomic<bool>* source_ = nullptr;  // guarded by mutex_
};

}  // namespace maas
