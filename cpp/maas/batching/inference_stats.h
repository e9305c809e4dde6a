// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>

#include "maas/base/clock.h"
#include "maas/base/guarded.h"
#include "maas/base/metrics.h"
#include "maas/batching/job.h"

namespace maas {

// A number of times, and how long they took together, to the nanosecond. Any thread.
struct DurationStat {
  Counter count;
  Counter nanoseconds;

  void add(Duration duration) noexcept;
};

// What the statistics extension of the Open Inference Protocol tells of one model version: exact
// numbers, where ModelStats has histograms. Any thread may write and read it.
class InferenceStats {
 public:
  // What batches of one size took.
  struct BatchStat {
    std::uint64_t count = 0;
    Duration input{};
    Duration compute{};
    Duration output{};
  };

  // Requests, each once: what it was from submit to answer.
  void count_success(const Timings& timings, std::int64_t rows, Duration total) noexcept;
  void count_failure(Duration total) noexcept;
  // A run of the model; what taking its answer apart took is known later.
  void count_batch(std::int64_t rows, const BatchStat& one);
  void add_output(std::int64_t rows, Duration output);
  // When the last run ended, in milliseconds since 1970; 0 before the first.
  void set_last(std::int64_t milliseconds) noexcept { last_ = milliseconds; }

  DurationStat success;
  DurationStat fail;
  DurationStat queue;
  DurationStat compute_input;
  DurationStat compute_infer;
  DurationStat compute_output;
  Counter rows;        // of requests that succeeded
  Counter executions;  // of the model

  [[nodiscard]] std::int64_t last() const noexcept { return last_; }
  [[nodiscard]] std::map<std::int64_t, BatchStat> batches() const;  // by rows

 private:
  std::atomic<std::int64_t> last_{0};
  Guarded<std::map<std::int64_t, BatchStat>> batches_;
};

}  // namespace maas
