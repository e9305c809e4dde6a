// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "maas/base/unique_function.h"
#include "maas/exec/thread.h"

namespace maas {

// One thread that destroys what is slow to destroy (a model waits for its executors, and frees
// gigabytes), so that whoever drops the last reference never waits. Owned by an Engine. The
// destructor runs what was posted before.
class Reaper {
 public:
  Reaper();
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

  // From any thread. `work` must not throw.
  void post(UniqueFunction<void()> work) noexcept;
  // Waits until what was posted before is done; false when that takes longer than `patience`.
  bool flush(std::chrono::milliseconds patience);

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable condition_;
  std::deque<UniqueFunction<void()>> work_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  Thread thread_;
};

}  // namespace maas
