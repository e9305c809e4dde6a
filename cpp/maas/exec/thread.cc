// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/thread.h"

#include <utility>

#include <pthread.h>
#include <signal.h>

namespace maas {

Thread::Thread(std::string name, UniqueFunction<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // A new thread inherits the mask, so there is no moment in which it could take a signal.
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([name = std::move(name), body = std::move(body)]() mutable {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());  // the kernel's limit
    body();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Thread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace maas
