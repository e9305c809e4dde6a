// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maas/base/clock.h"
#include "maas/base/result.h"
#include "maas/base/unique_function.h"
#include "maas/batching/batcher.h"
#include "maas/batching/job.h"
#include "maas/tensor/tensor.h"

namespace maas {

// How code of the same process, rather than a socket, asks a model. The inputs are in signature
// order; they share batches with every other caller's.

// Waits for the answer; deadline_exceeded when there is none in time.
Result<Reply> call(Batcher& batcher, std::vector<Tensor> inputs, Clock& clock, Deadline deadline);

// Returns at once; `done` is called exactly once, here for a refusal, else by an executor.
void call_async(Batcher& batcher,
                std::vector<Tensor> inputs,
                Deadline deadline,
                UniqueFunction<void(Result<Reply>)> done);

}  // namespace maas
