// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/service_time.h"

#include <algorithm>
#include <chrono>

namespace maas {
namespace {

constexpr double kMemory = 0.95;
constexpr double kLongest = 1e6;  // seconds; beyond it nobody waits

double seconds(Duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

ServiceTime::ServiceTime(int executors) noexcept : most_(executors) {}

void ServiceTime::begin(TimePoint now, bool first) noexcept {
  // What waited for an executor that others had is part of how busy the model was.
  if (first && !waiting_) {
    mark_ = now;
  }
}

void ServiceTime::end(TimePoint now, double size, Duration cost, bool waiting) noexcept {
  costs_.observe(size, cost);
  if (waiting) {
    busy_ = kMemory * busy_ + std::max(0.0, seconds(now - mark_));
    computed_ = kMemory * computed_ + seconds(cost);
  }
  mark_ = now;
  waiting_ = waiting;
}

std::optional<Duration> ServiceTime::until(double calls, double units) const noexcept {
  const auto alone = costs_.seconds(calls, units);
  if (!alone) {
    return std::nullopt;
  }
  // How many batches ran at once; fewer than the model may when others have the executors.
  const double at_once = busy_ > 0 ? std::clamp(computed_ / busy_, 0.05, most_) : most_;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(*alone / at_once, kLongest)));
}

}  // namespace maas
