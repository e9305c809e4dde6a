// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/error.h"
#include "maas/base/guarded.h"
#include "maas/workers/suspects.h"
#include "maas/workers/worker_task.h"

namespace maas {

// Which batches a pool runs at all, after some have ended workers (Suspects). Costs nothing while
// none has. Owned by a WorkerPool; any thread may call it.
class Screening {
 public:
  // Why a batch is not run as it is; one that holds a suspect becomes exclusive.
  [[nodiscard]] std::optional<Error> refusal(WorkerTask& task, TimePoint now);
  // A worker died that ran these. True when all their requests had been in a worker that died
  // before, and were run again: that tells nothing new about the code they run.
  bool died(const std::vector<TaskPtr>& tasks, TimePoint now);
  void answered(const WorkerTask& task);
  [[nodiscard]] bool is_culprit(const WorkerTask& task, TimePoint now);

 private:
  std::optional<Suspects::Record> find(const WorkerTask& task, std::size_t item, TimePoint now);
  void suspect(const WorkerTask& task, std::size_t item, bool alone, TimePoint now);

  Guarded<Suspects> suspects_;
  std::atomic<bool> any_{false};
};

}  // namespace maas
