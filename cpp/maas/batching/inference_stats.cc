// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/inference_stats.h"

#include <algorithm>

namespace maas {

void DurationStat::add(Duration duration) noexcept {
  count.add();
  nanoseconds.add(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

void InferenceStats::count_success(const Timings& timings,
                                   std::int64_t request_rows,
                                   Duration total) noexcept {
  success.add(total);
  queue.add(timings.queue);
  compute_input.add(timings.input);
  compute_infer.add(timings.compute);
  compute_output.add(timings.output);
  rows.add(static_cast<std::uint64_t>(request_rows));
}

void InferenceStats::count_failure(Duration total) noexcept {
  fail.add(total);
}

void InferenceStats::count_batch(std::int64_t batch_rows, const BatchStat& one) {
  executions.add();
  batches_.with([&](auto& batches) {
    BatchStat& stat = batches[batch_rows];
    stat.count += one.count;
    stat.input += one.input;
    stat.compute += one.compute;
    stat.output += one.output;
  });
}

void InferenceStats::add_output(std::int64_t batch_rows, Duration output) {
  batches_.with([&](auto& batches) { batches[batch_rows].output += output; });
}

std::map<std::int64_t, InferenceStats::BatchStat> InferenceStats::batches() const {
  return batches_.with([](const auto& batches) { return batches; });
}

}  // namespace maas
