// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "maas/base/clock.h"
#include "maas/batching/assembler.h"
#include "maas/batching/batch_key.h"
#include "maas/batching/batch_plan.h"
#include "maas/batching/job.h"
#include "maas/batching/options.h"

namespace maas {

// The jobs that wait for one model, parted by what may share a batch, each part in the order of
// priority and age. Not thread-safe: guarded by its Batcher's lock.
class WaitQueue {
 public:
  // `key` and `options` outlive it.
  WaitQueue(const BatchKey& key, const BatchOptions& options) noexcept
      : key_(key), options_(options) {}

  // Sets the job's rank, sequence and key. True when a batch may now be due, or be due earlier.
  // REQUIRES: place.submitted, place.length and rows are set
  bool push(std::shared_ptr<Job> job);
  // Takes a job out, wherever it stands; null when it does not wait here.
  std::shared_ptr<Job> remove(const Job& job);
  // Takes out what has passed its deadline, and with it what is cancelled; nothing before the
  // earliest deadline.
  Jobs take_gone(TimePoint now);
  // The parts of a divided job that wait.
  Jobs take_parts(const Job& whole);
  Jobs take_all();

  // A part from which a batch could be taken.
  struct Choice {
    bool due = false;                   // take_batch() may be called
    TimePoint next = TimePoint::max();  // when a batch that is held open becomes due
    bool held = false;                  // one is, and an idle executor may have it
    std::size_t part = 0;
  };
  // The part whose first job comes first among those that are due. `hurry`: nothing is held open.
  [[nodiscard]] Choice choose(TimePoint now, bool hurry) const;
  Jobs take_batch(const Choice& choice, const CostModel& costs);

  // What waits, in the units of the cost model: calls, and rows or positions.
  struct Work {
    double calls = 0;
    double units = 0;
  };
  // Of the jobs that would go before one of this rank.
  [[nodiscard]] Work work_before(TimePoint rank) const;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  struct Part {
    std::uint64_t key = 0;
    std::deque<std::shared_ptr<Job>> jobs;  // by rank, then by sequence
    std::int64_t rows = 0;
    TimePoint opened;  // when the job that has waited longest came
  };

  Part& part_of(const Job& job);
  std::shared_ptr<Job> take(Part& part, std::size_t index);
  template <typename Predicate>
  Jobs take_if(Predicate&& predicate);
  void reopen(Part& part) const;
  [[nodiscard]] bool is_full(const Part& part) const noexcept;
  [[nodiscard]] TimePoint window_end(const Part& part) const;
  [[nodiscard]] BatchLimits limits() const noexcept;

  const BatchKey& key_;
  const BatchOptions& options_;
  std::vector<Part> parts_;
  std::size_t size_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t tokens_ = 0;
  std::uint64_t next_sequence_ = 0;
  TimePoint first_deadline_ = TimePoint::max();  // no job's deadline is earlier
};

// What a job counts in the cost model.
inline double units_of(const Job& job, bool padded) noexcept {
  return static_cast<double>(padded ? job.request.rows * job.place.length : job.request.rows);
}

// When a job of this priority that came then is treated like one of the best that came now.
TimePoint rank_of(TimePoint submitted, int priority) noexcept;

}  // namespace maas
