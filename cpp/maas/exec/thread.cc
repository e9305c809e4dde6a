// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/thread.h"

#include <utility>

#include <pthread.h>
#include <signal.h>

namespace maas {
namespace {

// Blocks every signal on this thread until it ends, also when making a thread fails.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Thread::Thread(std::string name, UniqueFunction<void()> body) {
  // A new thread inherits the mask, so there is no moment in which it could take a signal.
  const SignalsBlocked blocked;
  thread_ = std::thread([name = std::move(name), body = std::move(body)]() mutable {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());  // the kernel's limit
    body();
  });
}

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace maas
