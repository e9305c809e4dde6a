// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <span>
#include <string>

#include "maas/base/sha256.h"
#include "maas/exec/thread.h"

namespace maas {

// A SHA-256 on a thread of its own, while its owner reads and writes. One thread feeds it.
class BackgroundHash {
 public:
  BackgroundHash();
  ~BackgroundHash();
  BackgroundHash(const BackgroundHash&) = delete;
  BackgroundHash& operator=(const BackgroundHash&) = delete;

  // The bytes must stay until the next update() or finish() returns.
  void update(std::span<const char> bytes);
  [[nodiscard]] std::string finish();

 private:
  void run();
  void wait_until_idle(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::span<const char> waiting_;  // guarded by mutex_; not empty while there is work
  bool stopping_ = false;          // guarded by mutex_
  Sha256 hash_;                    // the thread's while there is work
  Thread thread_;
};

}  // namespace maas
