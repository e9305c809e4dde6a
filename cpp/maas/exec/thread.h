// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <thread>

#include "maas/base/unique_function.h"

namespace maas {

// A named thread with every signal blocked, so that signals reach the embedder's own threads.
// The only way the core makes a thread. Joined by its destructor.
class Thread {
 public:
  Thread() = default;
  Thread(std::string name, UniqueFunction<void()> body);
  Thread(Thread&&) = default;
  Thread& operator=(Thread&& other) noexcept;  // joins what it ran
  ~Thread() { join(); }

  void join();

 private:
  std::thread thread_;
};

}  // namespace maas
