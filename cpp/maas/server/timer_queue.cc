// SPDX-License-Identifier: Apache-2.0
#include "maas/server/timer_queue.h"

namespace maas {

bool TimerQueue::set(Timed& timed, TimePoint due) noexcept {
  timed.due_ = due;
  if (timed.hook_.is_linked() && timed.place_ <= due) {
    return false;
  }
  const TimePoint before = next();
  timed.hook_.unlink();
  timed.place_ = due;
  queue_.insert(timed);
  return due < before;
}

TimePoint TimerQueue::next() const noexcept {
  return queue_.empty() ? TimePoint::max() : queue_.begin()->place_;
}

void TimerQueue::run(TimePoint now) noexcept {
  while (!queue_.empty() && queue_.begin()->place_ <= now) {
    Timed& timed = *queue_.begin();
    timed.hook_.unlink();
    if (timed.due_ == TimePoint::max()) {
      continue;
    }
    if (timed.due_ > now) {
      timed.place_ = timed.due_;
      queue_.insert(timed);
      continue;
    }
    timed.due_ = TimePoint::max();
    timed.on_time();
  }
}

}  // namespace maas
