// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace maas {

class Exchange;

// Where exchanges whose jobs were answered wait for the thread on which they live. Shared by that
// thread and by the exchanges, so that a job may come back when nobody is there any more: what is
// posted behind close() is dropped. Any thread may post(); the rest is the owner's.
class Mailbox {
 public:
  Mailbox() = default;
  virtual ~Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void post(std::shared_ptr<Exchange> exchange) noexcept;
  // Swaps what has come with `into`, which is empty.
  void take(std::vector<std::shared_ptr<Exchange>>& into) noexcept;
  void close() noexcept;

 protected:
  // There is mail, the first since the last take(). Called from any thread, with no lock held.
  virtual void notify() noexcept = 0;

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Exchange>> mail_;  // guarded by mutex_
  bool notified_ = false;                        // guarded by mutex_
  bool closed_ = false;                          // guarded by mutex_
};

}  // namespace maas
