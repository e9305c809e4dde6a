// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "maas/base/clock.h"
#include "maas/batching/cost_model.h"

namespace maas {

// How long work that waits for a model will take, from what its batches cost and from how much of
// the executors the model gets while it is busy. Optimistic where it does not know. Not
// thread-safe: guarded by its Batcher's lock.
class ServiceTime {
 public:
  explicit ServiceTime(int executors) noexcept;

  // A batch begins; `first` when none runs beside it.
  void begin(TimePoint now, bool first) noexcept;
  // A batch of this size has run for `cost`; `waiting` when more than the model could take was
  // there.
  void end(TimePoint now, double size, Duration cost, bool waiting) noexcept;

  // Until so many calls over so many units in all are done; nothing before the first batch.
  [[nodiscard]] std::optional<Duration> until(double calls, double units) const noexcept;
  [[nodiscard]] const CostModel& costs() const noexcept { return costs_; }

 private:
  CostModel costs_;
  const double most_;     // batches at once
  TimePoint mark_{};      // from when on the model has been busy and not measured
  bool waiting_ = false;  // more was there when the last batch ended
  double busy_ = 0;       // seconds, weighted by age
  double computed_ = 0;
};

}  // namespace maas
