// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/result.h"
#include "maas/runtime/model.h"
#include "maas/workers/shared_memory.h"

namespace maas {

// How a batch lies in shared memory. `clock` is that of its deadlines, which cross as times of the
// machine's monotonic clock.
std::size_t batch_size(const Batch& batch) noexcept;

// Gives the flags of its items, false: the process that runs the batch looks at them.
// REQUIRES: the memory holds batch_size() bytes
std::span<std::atomic<bool>> write_batch(const Batch& batch,
                                         const Clock& clock,
                                         const SharedMemory& memory) noexcept;

// A batch as the process that runs it has it.
struct ReceivedBatch {
  Batch batch;
  // Of its items; each follows its flag until release().
  std::vector<std::shared_ptr<Cancellation>> cancellations;

  // The flags are about to be another batch's.
  void release() noexcept;
};

// Its tensors are copies or borrow the memory, and then keep it. An error when the memory holds no
// batch.
Result<ReceivedBatch> read_batch(const std::shared_ptr<SharedMemory>& memory, bool copy);

}  // namespace maas
