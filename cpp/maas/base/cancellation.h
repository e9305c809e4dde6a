// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "maas/base/unique_function.h"

namespace maas {

// Whether the caller of one request still wants its answer: set by whoever serves the caller, read
// by the code that works for it. With a parent it is cancelled when that is: work done for other
// work. Any thread may call it; the flags are relaxed, because nothing is ordered by them.
// Across processes two of them share a flag in memory that both see: one keeps a copy there, the
// other follows it. Each lets go of the flag before its memory goes away.
class Cancellation {
 public:
  using Hook = UniqueFunction<void()>;

  Cancellation() = default;
  explicit Cancellation(std::shared_ptr<const Cancellation> parent) noexcept
      : parent_(std::move(parent)) {}

  void cancel() noexcept {
    Hooks hooks;
    {
      const std::lock_guard lock(mutex_);
      own_.store(true, std::memory_order_relaxed);
      for (std::atomic<bool>* flag : copies_) {
        flag->store(true, std::memory_order_relaxed);
      }
      hooks.swap(hooks_);
    }
    for (const auto& hook : hooks) {
      hook->call();
    }
  }
  [[nodiscard]] bool cancelled() const noexcept {
    return own_.load(std::memory_order_relaxed) || (parent_ && parent_->cancelled()) ||
           (follows_.load(std::memory_order_relaxed) && source_is_set());
  }

  // Called once, by the thread that cancels, or here when that has happened. Must not throw, and
  // holds nothing that a request should not keep alive.
  void on_cancel(Hook hook) const { add(std::make_shared<Once>(std::move(hook))); }

  // Sets `flag` too, at once if this is cancelled already, until remove_copy().
  void add_copy(std::atomic<bool>* flag) const {
    {
      const std::lock_guard lock(mutex_);
      copies_.push_back(flag);
      if (own_.load(std::memory_order_relaxed)) {
        flag->store(true, std::memory_order_relaxed);
      }
    }
    if (parent_) {
      parent_->add_copy(flag);
    }
  }
  void remove_copy(std::atomic<bool>* flag) const noexcept {
    {
      const std::lock_guard lock(mutex_);
      std::erase(copies_, flag);
    }
    if (parent_) {
      parent_->remove_copy(flag);
    }
  }
  // Is cancelled when `flag` is set. Null lets go of it: what it said last stays.
  void follow(const std::atomic<bool>* flag) noexcept {
    const std::lock_guard lock(mutex_);
    if (source_ != nullptr && source_->load(std::memory_order_relaxed)) {
      own_.store(true, std::memory_order_relaxed);
    }
    source_ = flag;
    follows_.store(flag != nullptr, std::memory_order_relaxed);
  }

 private:
  // A hook that its own cancellation and those above it may call.
  class Once {
   public:
    explicit Once(Hook hook) noexcept : hook_(std::move(hook)) {}
    void call() {
      if (!called_.exchange(true)) {
        std::exchange(hook_, {})();
      }
    }

   private:
    std::atomic<bool> called_{false};
    Hook hook_;
  };
  using Hooks = std::vector<std::shared_ptr<Once>>;

  void add(const std::shared_ptr<Once>& hook) const {
    if (parent_) {
      parent_->add(hook);
    }
    {
      const std::lock_guard lock(mutex_);
      if (!own_.load(std::memory_order_relaxed)) {
        hooks_.push_back(hook);
        return;
      }
    }
    hook->call();
  }
  [[nodiscard]] bool source_is_set() const noexcept {
    const std::lock_guard lock(mutex_);
    return source_ != nullptr && source_->load(std::memory_order_relaxed);
  }

  std::atomic<bool> own_{false};
  std::atomic<bool> follows_{false};
  const std::shared_ptr<const Cancellation> parent_;
  mutable std::mutex mutex_;
  mutable Hooks hooks_;                             // guarded by mutex_
  mutable std::vector<std::atomic<bool>*> copies_;  // guarded by mutex_
  const std::atomic<bool>* source_ = nullptr;       // guarded by mutex_
};

}  // namespace maas
