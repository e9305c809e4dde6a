// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace maas {

// A value that cannot be reached without its lock.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  template <typename F>
  decltype(auto) with(F&& f) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }
  template <typename F>
  decltype(auto) with(F&& f) const {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_{};
};

// The current version of something immutable: readers keep what they loaded, writers publish anew.
// A mutex and not std::atomic<shared_ptr>, which ThreadSanitizer cannot follow in libstdc++ 12.
template <typename T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value) : value_(std::move(value)) {}
  [[nodiscard]] std::shared_ptr<const T> load() const {
    return value_.with([](const auto& value) { return value; });
  }
  void store(std::shared_ptr<const T> value) { exchange(std::move(value)); }
  // Gives what was current before.
  std::shared_ptr<const T> exchange(std::shared_ptr<const T> value) {
    // The old version dies outside the lock: its destructor may take long.
    value_.with([&](auto& current) { current.swap(value); });
    return value;
  }

 private:
  Guarded<std::shared_ptr<const T>> value_;
};

}  // namespace maas
