// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/wake.h"

#include <algorithm>
#include <utility>

namespace maas {
namespace {

thread_local WakeScope* current_scope = nullptr;

}  // namespace

bool Wakeable::run_here(const void* /*reason*/) noexcept {
  return false;
}

WakeScope::WakeScope(bool lends) noexcept : outer_(current_scope), lends_(lends) {
  current_scope = this;
}

WakeScope::~WakeScope() {
  current_scope = outer_;
  flush();
}

void WakeScope::flush() noexcept {
  const bool here = lends_ && size_ == 1;
  // Whoever is woken may ask for further wake-ups, which then join the list behind its own.
  for (std::size_t i = 0; i < size_; ++i) {
    const Wish wish = std::exchange(pending_[i], {});
    if (!(here && i == 0 && wish.sleeper->run_here(wish.reason))) {
      wish.sleeper->wake(wish.reason);
    }
  }
  size_ = 0;
}

void WakeScope::request(Wakeable& sleeper, const void* reason) noexcept {
  if (current_scope != nullptr) {
    current_scope->add({&sleeper, reason});
  } else {
    sleeper.wake(reason);
  }
}

void WakeScope::request(std::shared_ptr<Wakeable> sleeper) noexcept {
  if (current_scope != nullptr) {
    Wakeable& target = *sleeper;
    current_scope->add({&target, nullptr, std::move(sleeper)});
  } else {
    sleeper->wake(nullptr);
  }
}

void WakeScope::add(Wish wish) noexcept {
  auto* const end = pending_.begin() + size_;
  if (std::find(pending_.begin(), end, wish) != end) {
    return;
  }
  if (size_ == pending_.size()) {
    wish.sleeper->wake(wish.reason);  // too many to keep back; nothing is lost by waking early
    return;
  }
  pending_[size_++] = std::move(wish);
}

}  // namespace maas
