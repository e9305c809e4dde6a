// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "maas/base/error.h"
#include "maas/base/metrics.h"
#include "maas/batching/inference_stats.h"

namespace maas {

// What is counted per model version. Any thread may read and write it.
struct ModelStats {
  ModelStats();

  Counter requests;                                   // answered, well or not
  std::array<Counter, kAllErrorCodes.size()> errors;  // by code
  Counter streams;                                    // of these answers, those that are streams
  Counter stream_items;                               // sent in them
  Gauge in_flight;                                    // accepted; not yet answered to the end
  Gauge queued;                                       // of these, waiting for an executor
  Histogram queue_seconds;
  Histogram batch_seconds;    // assembling a batch and taking it apart
  Histogram compute_seconds;  // the model's run, once per batch
  Histogram total_seconds;    // submit to answer
  Histogram batch_rows;       // once per batch
  Counter rerun_rows;         // of batches that failed, run again to find the culprit
  Counter tokens;             // positions that requests filled, of models with padding
  Counter padding_tokens;     // positions that padding filled
  InferenceStats inference;   // the same runs and requests, exactly

  // A request that was not accepted.
  void count_refusal(ErrorCode code) noexcept {
    requests.add();
    count_error(code);
    inference.count_failure({});
  }
  void count_error(ErrorCode code) noexcept { errors[static_cast<std::size_t>(code)].add(); }
};

}  // namespace maas
