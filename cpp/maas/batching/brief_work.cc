// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/brief_work.h"

#include <algorithm>
#include <chrono>

namespace maas {
namespace {

// About what it takes until a thread on an idle core of a virtual machine runs.
constexpr Duration kBrief = std::chrono::microseconds(200);
constexpr int kSeen = 8;  // before anything is concluded
// What other clients of the lent thread may be made to wait before it counts as held up.
constexpr Duration kHeldUp = std::chrono::milliseconds(2);
constexpr Duration kFirstBan = std::chrono::seconds(1);
constexpr Duration kLongestBan = std::chrono::minutes(10);

}  // namespace

void BriefWork::observe(std::int64_t rows, Duration compute) noexcept {
  if (rows != 1) {
    return;
  }
  seen_ = std::min(seen_ + 1, kSeen);
  slowest_ = std::max(compute, slowest_ - slowest_ / 8);
}

void BriefWork::ran_here(TimePoint now, Duration took) noexcept {
  if (took > kHeldUp) {
    ban_ = std::clamp(2 * ban_, kFirstBan, kLongestBan);
    banned_until_ = now + ban_;
  }
}

bool BriefWork::is_brief(TimePoint now) const noexcept {
  return seen_ >= kSeen && slowest_ <= kBrief && now >= banned_until_;
}

}  // namespace maas
