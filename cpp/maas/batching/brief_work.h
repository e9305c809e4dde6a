// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "maas/base/clock.h"

namespace maas {

// Whether one row of a model is computed sooner than another thread can be woken for it, so that
// the thread which brought it may as well do it. Told by the rows that ran alone lately; a thread
// that was held up is not lent again for a while, each time for longer. Not thread-safe: guarded by
// its Batcher's lock.
class BriefWork {
 public:
  // A batch took so long, wherever it ran; it tells something when it was a row alone.
  void observe(std::int64_t rows, Duration compute) noexcept;
  // A thread lent itself, and was held up for so long.
  void ran_here(TimePoint now, Duration took) noexcept;

  [[nodiscard]] bool is_brief(TimePoint now) const noexcept;

 private:
  int seen_ = 0;
  Duration slowest_{};  // of those lately
  Duration ban_{};      // the last one
  TimePoint banned_until_{};
};

}  // namespace maas
