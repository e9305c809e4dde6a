// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/background_hash.h"

namespace maas {

BackgroundHash::BackgroundHash() : thread_("maas-hash", [this] { run(); }) {}

BackgroundHash::~BackgroundHash() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundHash::wait_until_idle(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return waiting_.empty(); });
}

void BackgroundHash::update(std::span<const char> bytes) {
  std::unique_lock lock(mutex_);
  wait_until_idle(lock);
  waiting_ = bytes;
  changed_.notify_all();
}

std::string BackgroundHash::finish() {
  std::unique_lock lock(mutex_);
  wait_until_idle(lock);
  return hash_.finish();
}

void BackgroundHash::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) {
      return;
    }
    const std::span<const char> bytes = waiting_;
    lock.unlock();
    hash_.update(bytes.data(), bytes.size());
    lock.lock();
    waiting_ = {};
    changed_.notify_all();
  }
}

}  // namespace maas
