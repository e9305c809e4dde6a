// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "maas/batching/cost_model.h"
#include "maas/batching/job.h"

namespace maas {

// What a batch may hold.
struct BatchLimits {
  std::int64_t rows = 1;
  std::int64_t tokens = 0;  // rows times padded length; 0 for no bound
  bool padded = false;
};

// Which of the waiting jobs, all of one key and in their order, make the next batch: ascending
// indices, the first job always among them. Without padding they are the first that fit. With
// padding the jobs are parted by length into the batches that cost least in all, padding included
// (dynamic programming over the lengths in order), and the batch of the first job is taken: a
// request joins when the padding it causes costs less than the call it saves.
std::vector<std::size_t> plan_batch(const std::deque<std::shared_ptr<Job>>& waiting,
                                    const BatchLimits& limits,
                                    const CostModel& costs);

}  // namespace maas
