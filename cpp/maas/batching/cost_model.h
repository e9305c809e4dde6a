// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "maas/base/clock.h"

namespace maas {

// What a batch of a model costs: so much per call and so much per unit of its size (rows, or padded
// positions), fitted by least squares to the batches seen lately, the older the less. Not
// thread-safe: guarded by its owner's lock.
class CostModel {
 public:
  void observe(double size, Duration cost) noexcept;

  // Seconds. With batches of one size only, all of it counts as the cost of the call: to promise
  // too much speed is the smaller mistake.
  [[nodiscard]] double per_call() const noexcept { return per_call_; }
  [[nodiscard]] double per_unit() const noexcept { return per_unit_; }
  // Nothing before the first batch.
  [[nodiscard]] std::optional<double> seconds(double calls, double units) const noexcept;
  // How many units cost as much as a call. Before that can be told apart: kUnitsPerCall.
  [[nodiscard]] double units_per_call() const noexcept;

  // A text of this many tokens costs about as much as the call around it in encoders on a CPU.
  static constexpr double kUnitsPerCall = 16;

 private:
  void fit() noexcept;

  // Sums over the batches seen, each weighted by its age.
  double weight_ = 0;
  double size_ = 0;
  double cost_ = 0;
  double size_size_ = 0;
  double size_cost_ = 0;

  double per_call_ = 0;
  double per_unit_ = 0;
  bool told_apart_ = false;
};

}  // namespace maas
