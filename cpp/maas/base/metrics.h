// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace maas {

// Counts up. Any thread may call it; relaxed, because nothing is ordered by a metric.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Goes up and down. Any thread may call it.
class Gauge {
 public:
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Counts observations per bucket, with upper bounds that are inclusive as in Prometheus; the last
// bucket has none. Any thread may observe; bounds are constant after construction.
class Histogram {
 public:
  // `bounds` ascend; at most kMaxBounds of them.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value) noexcept;

  struct Reading {
    std::vector<std::uint64_t> counts;  // per bucket, not cumulative; one more than bounds
    std::uint64_t total = 0;
    double sum = 0;
  };
  [[nodiscard]] Reading read() const;
  [[nodiscard]] std::span<const double> bounds() const noexcept { return {bounds_.data(), size_}; }

  static constexpr std::size_t kMaxBounds = 24;

 private:
  std::array<double, kMaxBounds> bounds_{};
  std::size_t size_;
  std::array<std::atomic<std::uint64_t>, kMaxBounds + 1> counts_{};
  std::atomic<double> sum_{0};
};

}  // namespace maas
