// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "maas/base/cancellation.h"
#include "maas/base/clock.h"
#include "maas/base/priority.h"
#include "maas/base/request_id.h"
#include "maas/base/result.h"
#include "maas/base/unique_function.h"
#include "maas/batching/batcher.h"
#include "maas/batching/job.h"
#include "maas/runtime/model.h"
#include "maas/tensor/tensor.h"

namespace maas {

// How code of the same process, rather than a socket, asks a model. The inputs are in signature
// order; they share batches with every other caller's.

// On whose behalf a call is made.
struct Caller {
  RequestId id = RequestId::next();
  Deadline deadline{};
  int priority = kDefaultPriority;
  std::shared_ptr<const Cancellation> cancellation{};  // null: it goes on, whoever leaves
  std::shared_ptr<const Origin> origin{};
  std::uint64_t local_call = 0;  // see BatchItem

  // A call of a handler that answers these requests, which has a deadline of its own: none lives
  // longer than the last of them. With several the call is for all: it has the best priority, no
  // origin, and nobody's leaving ends it.
  static Caller of(std::span<const BatchItem> items, Deadline deadline);
};

// Waits for the answer; deadline_exceeded when there is none in time.
Result<Reply> call(Batcher& batcher,
                   std::vector<Tensor> inputs,
                   Clock& clock,
                   const Caller& caller);

// Returns at once; `done` is called exactly once, here for a refusal, else by an executor.
void call_async(Batcher& batcher,
                std::vector<Tensor> inputs,
                const Caller& caller,
                UniqueFunction<void(Result<Reply>)> done);

}  // namespace maas
