// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "maas/base/byte_budget.h"

namespace maas {

// Bytes taken from a budget and given back in the end. Owned by one thread.
class ByteLease {
 public:
  explicit ByteLease(ByteBudget& budget) noexcept : budget_(budget) {}
  ~ByteLease() { give_back(); }
  ByteLease(const ByteLease&) = delete;
  ByteLease& operator=(const ByteLease&) = delete;

  // Holds this many in all, or what it held before when the budget has not enough.
  [[nodiscard]] bool grow_to(std::size_t bytes) noexcept {
    if (bytes > held_) {
      if (!budget_.try_take(bytes - held_)) {
        return false;
      }
      held_ = bytes;
    }
    return true;
  }
  void give_back() noexcept {
    if (held_ != 0) {
      budget_.give_back(held_);
      held_ = 0;
    }
  }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }

 private:
  ByteBudget& budget_;
  std::size_t held_ = 0;
};

}  // namespace maas
