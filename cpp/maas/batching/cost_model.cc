// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/cost_model.h"

#include <algorithm>
#include <chrono>

namespace maas {
namespace {

constexpr double kMemory = 0.98;  // of a batch's weight is left when the next one comes: 50 batches
// Sizes that differ by less than this (coefficient of variation squared) tell nothing about a
// slope.
constexpr double kSpread = 1e-3;
constexpr double kMostUnitsPerCall = 1e9;  // so many never wait

}  // namespace

void CostModel::observe(double size, Duration cost) noexcept {
  const double seconds = std::chrono::duration<double>(cost).count();
  weight_ = kMemory * weight_ + 1;
  size_ = kMemory * size_ + size;
  cost_ = kMemory * cost_ + seconds;
  size_size_ = kMemory * size_size_ + size * size;
  size_cost_ = kMemory * size_cost_ + size * seconds;
  fit();
}

void CostModel::fit() noexcept {
  const double mean_size = size_ / weight_;
  const double mean_cost = cost_ / weight_;
  const double variance = size_size_ / weight_ - mean_size * mean_size;
  told_apart_ = variance > kSpread * mean_size * mean_size;
  if (!told_apart_) {
    per_unit_ = 0;
    per_call_ = mean_cost;
    return;
  }
  const double slope = (size_cost_ / weight_ - mean_size * mean_cost) / variance;
  // Neither a call nor a unit takes less than no time: noise must not say so.
  per_unit_ = std::clamp(slope, 0.0, mean_cost / mean_size);
  per_call_ = std::max(0.0, mean_cost - per_unit_ * mean_size);
}

std::optional<double> CostModel::seconds(double calls, double units) const noexcept {
  if (weight_ == 0) {
    return std::nullopt;
  }
  return calls * per_call_ + units * per_unit_;
}

double CostModel::units_per_call() const noexcept {
  if (!told_apart_ || per_unit_ <= 0) {
    return kUnitsPerCall;
  }
  return std::min(per_call_ / per_unit_, kMostUnitsPerCall);
}

}  // namespace maas
