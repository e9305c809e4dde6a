// SPDX-License-Identifier: Apache-2.0
#include "maas/server/connection_gate.h"

namespace maas {
namespace {

constexpr std::size_t kRefusedAtOnce = 64;

}  // namespace

ConnectionGate::Entry ConnectionGate::enter() {
  const std::lock_guard lock(mutex_);
  if (count_ >= limit_ + kRefusedAtOnce) {
    return Entry::kFull;
  }
  open_.add(1);
  return ++count_ > limit_ ? Entry::kRefused : Entry::kAdmitted;
}

void ConnectionGate::leave() noexcept {
  open_.add(-1);
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) {
    empty_.notify_all();
  }
}

bool ConnectionGate::wait_empty(Clock& clock, Deadline deadline) {
  std::unique_lock lock(mutex_);
  while (count_ > 0 && !deadline.expired(clock.now())) {
    clock.wait_until(lock, empty_, deadline.at());
  }
  return count_ == 0;
}

}  // namespace maas
