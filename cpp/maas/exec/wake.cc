// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/wake.h"

#include <algorithm>
#include <utility>

namespace maas {
namespace {

thread_local WakeScope* current_scope = nullptr;

}  // namespace

WakeScope::WakeScope() noexcept : outer_(current_scope) {
  current_scope = this;
}

WakeScope::~WakeScope() {
  current_scope = outer_;
  flush();
}

void WakeScope::flush() noexcept {
  // wake() may ask for further wake-ups, which then join the list behind the one being served.
  for (std::size_t i = 0; i < size_; ++i) {
    const std::shared_ptr<Wakeable> kept = std::move(pending_[i].kept);
    std::exchange(pending_[i].sleeper, nullptr)->wake();
  }
  size_ = 0;
}

void WakeScope::request(Wakeable& sleeper, const void* reason) noexcept {
  if (current_scope != nullptr) {
    current_scope->add({&sleeper, reason});
  } else {
    sleeper.wake();
  }
}

void WakeScope::request(std::shared_ptr<Wakeable> sleeper) noexcept {
  if (current_scope != nullptr) {
    Wakeable& target = *sleeper;
    current_scope->add({&target, nullptr, std::move(sleeper)});
  } else {
    sleeper->wake();
  }
}

void WakeScope::add(Wish wish) noexcept {
  auto* const end = pending_.begin() + size_;
  if (std::find(pending_.begin(), end, wish) != end) {
    return;
  }
  if (size_ == pending_.size()) {
    wish.sleeper->wake();  // too many to keep back; nothing is lost by waking early
    return;
  }
  pending_[size_++] = std::move(wish);
}

}  // namespace maas
