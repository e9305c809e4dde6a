// SPDX-License-Identifier: Apache-2.0
#include "maas/server/mailbox.h"

#include <utility>

#include "maas/server/exchange.h"

namespace maas {

void Mailbox::post(std::shared_ptr<Exchange> exchange) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return;
    }
    mail_.push_back(std::move(exchange));
    if (std::exchange(notified_, true)) {
      return;
    }
  }
  notify();
}

void Mailbox::take(std::vector<std::shared_ptr<Exchange>>& into) noexcept {
  const std::lock_guard lock(mutex_);
  std::swap(mail_, into);
  notified_ = false;
}

void Mailbox::close() noexcept {
  std::vector<std::shared_ptr<Exchange>> left;  // dies outside the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  left.swap(mail_);
}

}  // namespace maas
