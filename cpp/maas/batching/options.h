// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "maas/base/clock.h"

namespace maas {

// What closes the window that batch_timeout opens.
enum class BatchPolicy : std::uint8_t {
  kEager,   // also an executor that would otherwise idle
  kWindow,  // only its end, or a full batch
};

// What happens to a batch whose run failed.
enum class OnBatchError : std::uint8_t {
  kSplit,  // its halves run again, and theirs, so that only the culprit fails
  kFail,   // all its requests fail
};

// An input whose one variable dimension is filled up, with `value`, to that of the longest request
// in the batch.
struct PadInput {
  std::string input;
  double value = 0;
};

// How the requests of one model become batches.
struct BatchOptions {
  std::int64_t max_batch_size = 1;  // rows
  Duration batch_timeout{};  // how long a batch that is not full may wait, from its first request
  std::size_t max_queue_size = 1024;  // requests
  int executors = 1;                  // batches that may run at once
  BatchPolicy policy = BatchPolicy::kEager;
  OnBatchError on_error = OnBatchError::kSplit;
  std::vector<PadInput> pad{};        // none: only requests of one shape share a batch
  std::string mask{};                 // input that tells 1 = real from 0 = padding; "" for none
  std::int64_t max_batch_tokens = 0;  // rows times padded length; 0 for no bound
  bool whole_requests = false;        // a batch is one request, however many rows it has
  double weight = 1;                  // of the executors' time, beside other models' weights
};

// Throws invalid_argument that names the option.
void check_options(const BatchOptions& options);

}  // namespace maas
