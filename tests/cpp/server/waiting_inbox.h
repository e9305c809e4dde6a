// SPDX-License-Identifier: Apache-2.0
// A mailbox whose owner waits for what comes.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "maas/server/exchange.h"

namespace maas::testing {

class WaitingInbox final : public Mailbox {
 public:
  std::vector<std::shared_ptr<Exchange>> wait() {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return notified_; });
      notified_ = false;
    }
    std::vector<std::shared_ptr<Exchange>> mail;
    take(mail);
    return mail;
  }
  [[nodiscard]] int notifications() const {
    const std::lock_guard lock(mutex_);
    return notifications_;
  }

 private:
  void notify() noexcept override {
    const std::lock_guard lock(mutex_);
    notified_ = true;
    ++notifications_;
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = false;  // guarded by mutex_
  int notifications_ = 0;  // guarded by mutex_
};

}  // namespace maas::testing
