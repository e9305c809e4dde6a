// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/reaper.h"

#include <utility>

namespace maas {

Reaper::Reaper() : thread_("maas-reaper", [this] { serve(); }) {}

Reaper::~Reaper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    condition_.notify_one();
  }
  thread_.join();
}

void Reaper::post(UniqueFunction<void()> work) noexcept {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  condition_.notify_one();
}

void Reaper::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    condition_.wait(lock, [this] { return stopping_ || !work_.empty(); });
    if (work_.empty()) {
      return;
    }
    UniqueFunction<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = {};
    lock.lock();
  }
}

}  // namespace maas
