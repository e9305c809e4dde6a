// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "maas/base/clock.h"

namespace maas {

// How long a worker that died waits before it is started again: twice as long each time, until one
// of its lives was worth it.
class BackOff {
 public:
  static constexpr Duration kFirst = std::chrono::milliseconds(500);
  static constexpr Duration kLongest = std::chrono::seconds(30);

  Duration next() noexcept;
  void reset() noexcept { wait_ = kFirst; }

 private:
  Duration wait_ = kFirst;
};

// When workers die so often that the code they run must be at fault, nobody starts them again for a
// while: that is the alarm. Not thread-safe.
class DeathWatch {
 public:
  static constexpr int kMost = 5;
  static constexpr Duration kWithin = std::chrono::seconds(60);
  // Long enough that a person looks; then they are tried again, because what they lacked (memory, a
  // file, a service) may be back.
  static constexpr Duration kCoolDown = std::chrono::seconds(60);

  enum class Cause : std::uint8_t {
    kItself,   // a crash, an exit, a hang, a broken protocol
    kOutside,  // SIGKILL: an operator, or the system that lacks memory
  };
  // True when this death raises the alarm.
  bool died(TimePoint now, Cause cause);
  // A batch was answered. The endpoint works, so what was done to workers from outside is
  // forgotten; what they did themselves is not.
  void answered() noexcept;

  [[nodiscard]] bool alarm(TimePoint now) const noexcept { return now < alarm_until_; }
  [[nodiscard]] TimePoint alarm_until() const noexcept { return alarm_until_; }

 private:
  struct Death {
    TimePoint at;
    Cause cause;
  };
  std::deque<Death> deaths_;
  TimePoint alarm_until_ = TimePoint::min();
};

}  // namespace maas
