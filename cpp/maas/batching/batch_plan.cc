// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace maas {
namespace {

// More than fit into any one batch need not be looked at to choose it well.
constexpr std::size_t kMostCandidates = 256;
// Less than any padding costs: also where a call seems to be free, as when the cost grows faster
// than the size, jobs of one length share it.
constexpr double kLeastUnitsPerCall = 0.5;

bool fits(std::int64_t rows, std::int64_t length, const BatchLimits& limits) noexcept {
  return rows <= limits.rows &&
         (limits.tokens == 0 || length == 0 || rows <= limits.tokens / length);
}

std::vector<std::size_t> first_that_fit(const std::deque<std::shared_ptr<Job>>& waiting,
                                        const BatchLimits& limits) {
  std::vector<std::size_t> chosen;
  std::int64_t room = limits.rows;
  for (std::size_t i = 0; i < waiting.size() && room > 0; ++i) {
    const std::int64_t rows = waiting[i]->request.rows;
    if (i == 0 || rows <= room) {
      room -= rows;
      chosen.push_back(i);
    }
  }
  return chosen;
}

// The cheapest way to part jobs, which are in order of length, into batches of neighbours.
class Partition {
 public:
  Partition(const std::deque<std::shared_ptr<Job>>& waiting,
            std::vector<std::size_t> order,
            const BatchLimits& limits,
            double units_per_call)
      : waiting_(waiting),
        order_(std::move(order)),
        limits_(limits),
        units_per_call_(units_per_call),
        cost_(order_.size() + 1, std::numeric_limits<double>::max()),
        begin_(order_.size() + 1, 0) {
    cost_[0] = 0;
    for (std::size_t end = 1; end <= order_.size(); ++end) {
      close_at(end);
    }
  }

  // The batch in which this job is.
  [[nodiscard]] std::vector<std::size_t> batch_of(std::size_t job) const {
    std::size_t end = order_.size();
    const auto place =
        static_cast<std::size_t>(std::find(order_.begin(), order_.end(), job) - order_.begin());
    while (begin_[end] > place) {
      end = begin_[end];
    }
    std::vector<std::size_t> batch(order_.begin() + static_cast<std::ptrdiff_t>(begin_[end]),
                                   order_.begin() + static_cast<std::ptrdiff_t>(end));
    std::sort(batch.begin(), batch.end());
    return batch;
  }

 private:
  // The best last batch of the jobs before `end`.
  void close_at(std::size_t end) {
    const std::int64_t length = waiting_[order_[end - 1]]->place.length;
    std::int64_t rows = 0;
    for (std::size_t begin = end; begin-- > 0;) {
      rows += waiting_[order_[begin]]->request.rows;
      if (begin + 1 < end && !fits(rows, length, limits_)) {
        return;
      }
      const double cost =
          cost_[begin] + units_per_call_ + static_cast<double>(rows) * static_cast<double>(length);
      if (cost < cost_[end]) {
        cost_[end] = cost;
        begin_[end] = begin;
      }
    }
  }

  const std::deque<std::shared_ptr<Job>>& waiting_;
  const std::vector<std::size_t> order_;
  const BatchLimits& limits_;
  const double units_per_call_;
  std::vector<double> cost_;        // of the jobs before, in units
  std::vector<std::size_t> begin_;  // of the batch that ends here
};

}  // namespace

std::vector<std::size_t> plan_batch(const std::deque<std::shared_ptr<Job>>& waiting,
                                    const BatchLimits& limits,
                                    const CostModel& costs) {
  if (!limits.padded) {
    return first_that_fit(waiting, limits);
  }
  std::vector<std::size_t> order(std::min(waiting.size(), kMostCandidates));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return waiting[a]->place.length < waiting[b]->place.length;
  });
  const double units_per_call = std::max(costs.units_per_call(), kLeastUnitsPerCall);
  return Partition(waiting, std::move(order), limits, units_per_call).batch_of(0);
}

}  // namespace maas
