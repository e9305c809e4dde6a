// SPDX-License-Identifier: Apache-2.0
#include "maas/base/metrics.h"

#include <algorithm>

#include "maas/base/error.h"

namespace maas {

Histogram::Histogram(std::span<const double> bounds) : size_(bounds.size()) {
  if (bounds.size() > kMaxBounds || !std::is_sorted(bounds.begin(), bounds.end())) {
    throw Error(ErrorCode::kInvalidArgument, "a histogram needs ascending bounds, at most 24");
  }
  std::copy(bounds.begin(), bounds.end(), bounds_.begin());
}

void Histogram::observe(double value) noexcept {
  const double* const end = bounds_.data() + size_;
  const auto bucket =
      std::lower_bound(static_cast<const double*>(bounds_.data()), end, value) - bounds_.data();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Reading Histogram::read() const {
  Reading reading;
  for (std::size_t i = 0; i <= size_; ++i) {
    reading.counts.push_back(counts_[i].load(std::memory_order_relaxed));
    reading.total += reading.counts.back();
  }
  reading.sum = sum_.load(std::memory_order_relaxed);
  return reading;
}

}  // namespace maas
