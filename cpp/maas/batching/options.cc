// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/options.h"

#include <cmath>

#include "maas/base/error.h"

namespace maas {
namespace {

void check(bool holds, const char* sentence) {
  if (!holds) {
    throw Error(ErrorCode::kInvalidArgument, sentence);
  }
}

}  // namespace

void check_options(const BatchOptions& options) {
  check(options.max_batch_size >= 1, "max_batch_size must be 1 or more");
  check(options.batch_timeout >= Duration::zero(), "batch_timeout_ms must be 0 or more");
  check(options.max_queue_size >= 1, "max_queue_size must be 1 or more");
  check(options.executors >= 1, "executors must be 1 or more");
  check(options.max_batch_tokens >= 0, "max_batch_tokens must be 0 (no bound) or more");
  check(std::isfinite(options.weight) && options.weight > 0, "weight must be greater than 0");
  check(options.mask.empty() || !options.pad.empty(), "mask needs pad: it tells what is padding");
  check(!options.whole_requests || (options.max_batch_size == 1 && options.pad.empty()),
        "whole_requests needs max_batch_size 1 and no pad: its requests share no batches");
  check(options.max_batch_tokens == 0 || !options.pad.empty(),
        "max_batch_tokens needs pad: it counts padded positions");
}

}  // namespace maas
