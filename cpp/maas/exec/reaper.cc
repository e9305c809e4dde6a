// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/reaper.h"

#include <future>
#include <memory>
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

bool Reaper::flush(std::chrono::milliseconds patience) {
  const auto reached = std::make_shared<std::promise<void>>();
  post([reached] { reached->set_value(); });
  return reached->get_future().wait_for(patience) == std::future_status::ready;
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
