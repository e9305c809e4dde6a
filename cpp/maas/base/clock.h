// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

namespace maas {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// Where every wait of the core gets its time, so that a test can advance it instead of sleeping.
// All methods may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const noexcept = 0;
  // Waits until notified, spuriously woken, or `until` has come; TimePoint::max() is for ever.
  virtual void wait_until(std::unique_lock<std::mutex>& lock,
                          std::condition_variable& condition,
                          TimePoint until) = 0;
  // Whether a time of one is the same moment of the other.
  [[nodiscard]] virtual bool agrees_with(const Clock& other) const noexcept {
    return this == &other;
  }
};

// The machine's monotonic clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
  void wait_until(std::unique_lock<std::mutex>& lock,
                  std::condition_variable& condition,
                  TimePoint until) override;
  [[nodiscard]] bool agrees_with(const Clock& other) const noexcept override {
    return dynamic_cast<const SystemClock*>(&other) != nullptr;
  }
};

// Time that stands still until advance() moves it; waiters whose time has come are then woken.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const noexcept override;
  void wait_until(std::unique_lock<std::mutex>& lock,
                  std::condition_variable& condition,
                  TimePoint until) override;
  void advance(Duration by);

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* condition;
    TimePoint until;
  };
  // Moves time, and gives those whose time has come with it.
  std::vector<Waiter> due_after(Duration by);

  // Taken in this order: waking_, a waiter's own mutex, mutex_. Callers hold their mutex when they
  // ask for the time or begin to wait, so advance() must not hold mutex_ when it takes theirs.
  std::mutex waking_;  // held while waiters are woken: none of them goes away meanwhile
  mutable std::mutex mutex_;
  TimePoint now_{};                // guarded by mutex_
  std::map<int, Waiter> waiters_;  // guarded by mutex_; also by waking_ when one is erased
  int next_waiter_ = 0;            // guarded by mutex_
};

// A point in time that is passed down with the work, instead of a time-out at each call.
class Deadline {
 public:
  Deadline() = default;  // never
  explicit Deadline(TimePoint at) : at_(at) {}
  static Deadline never() { return {}; }
  static Deadline from(TimePoint start, Duration duration) {
    return Deadline(duration >= TimePoint::max() - start ? TimePoint::max() : start + duration);
  }
  static Deadline after(const Clock& clock, Duration duration) {
    return from(clock.now(), duration);
  }

  [[nodiscard]] TimePoint at() const noexcept { return at_; }
  [[nodiscard]] bool is_never() const noexcept { return at_ == TimePoint::max(); }
  [[nodiscard]] bool expired(TimePoint now) const noexcept { return now >= at_; }

 private:
  TimePoint at_ = TimePoint::max();
};

}  // namespace maas
