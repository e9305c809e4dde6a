// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/restart_policy.h"

#include <algorithm>
#include <utility>

namespace maas {

Duration BackOff::next() noexcept {
  return std::exchange(wait_, std::min(2 * wait_, kLongest));
}

bool DeathWatch::died(TimePoint now, Cause cause) {
  while (!deaths_.empty() && now - deaths_.front().at >= kWithin) {
    deaths_.pop_front();
  }
  deaths_.push_back({now, cause});
  if (deaths_.size() < kMost) {
    return false;
  }
  deaths_.clear();
  alarm_until_ = now + kCoolDown;
  return true;
}

void DeathWatch::answered() noexcept {
  if (!deaths_.empty()) {
    std::erase_if(deaths_, [](const Death& death) { return death.cause == Cause::kOutside; });
  }
}

}  // namespace maas
