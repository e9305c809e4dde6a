// SPDX-License-Identifier: Apache-2.0
#include "maas/base/clock.h"

namespace maas {

void SystemClock::wait_until(std::unique_lock<std::mutex>& lock,
                             std::condition_variable& condition,
                             TimePoint until) {
  if (until == TimePoint::max()) {
    condition.wait(lock);  // wait_until(max) overflows when converted to the system clock
  } else {
    condition.wait_until(lock, until);
  }
}

TimePoint ManualClock::now() const noexcept {
  const std::lock_guard lock(mutex_);
  return now_;
}

void ManualClock::wait_until(std::unique_lock<std::mutex>& lock,
                             std::condition_variable& condition,
                             TimePoint until) {
  int id = 0;
  {
    const std::lock_guard own(mutex_);
    if (now_ >= until) {
      return;
    }
    id = next_waiter_++;
    waiters_.emplace(id, Waiter{lock.mutex(), &condition, until});
  }
  condition.wait(lock);
  // advance() takes waking_ before the caller's lock, so that is let go meanwhile.
  lock.unlock();
  {
    const std::scoped_lock own(waking_, mutex_);
    waiters_.erase(id);
  }
  lock.lock();
}

void ManualClock::advance(Duration by) {
  const std::lock_guard waking(waking_);
  for (const Waiter& waiter : due_after(by)) {
    // Holding the waiter's mutex proves that it is inside wait(), so the wake-up cannot be lost.
    const std::lock_guard theirs(*waiter.mutex);
    waiter.condition->notify_all();
  }
}

std::vector<ManualClock::Waiter> ManualClock::due_after(Duration by) {
  const std::lock_guard own(mutex_);
  now_ += by;
  std::vector<Waiter> due;
  for (const auto& [id, waiter] : waiters_) {
    if (waiter.until <= now_) {
      due.push_back(waiter);
    }
  }
  return due;
}

}  // namespace maas
