// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "maas/batching/job.h"
#include "maas/batching/padding.h"
#include "maas/runtime/model.h"

namespace maas {

using Jobs = std::vector<std::shared_ptr<Job>>;

// Puts requests together to batches and takes answers apart again. Constant after construction;
// `signature` and `padding` outlive it.
class Assembler {
 public:
  // Jobs stacked in their order.
  struct Stack {
    Batch batch;
    std::int64_t length = 0;  // of the longest; 0 without padding
  };

  Assembler(const Signature& signature, const Padding& padding) noexcept
      : signature_(signature), padding_(padding) {}

  // The one copy that batching costs: each job's inputs into the batch's memory. A job alone is not
  // copied.
  [[nodiscard]] Stack stack(const Jobs& jobs) const;

  // A model that answers another number of rows, or of outputs, than it was asked would give
  // requests each other's rows: throws internal with what it gave.
  void check(const BatchResult& result, std::int64_t rows) const;

  // The outputs of one job, whose rows begin at `first` in a batch of this length, or why it has
  // none.
  [[nodiscard]] Result<std::vector<Tensor>> take(const BatchResult& result,
                                                 const Job& job,
                                                 std::int64_t first,
                                                 std::int64_t length) const;

 private:
  const Signature& signature_;
  const Padding& padding_;
};

}  // namespace maas
