// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "maas/base/byte_budget.h"
#include "maas/base/clock.h"
#include "maas/base/result.h"
#include "maas/batching/admission.h"
#include "maas/batching/assembler.h"
#include "maas/batching/batch_key.h"
#include "maas/batching/batch_run.h"
#include "maas/batching/brief_work.h"
#include "maas/batching/error_split.h"
#include "maas/batching/job.h"
#include "maas/batching/model_stats.h"
#include "maas/batching/options.h"
#include "maas/batching/padding.h"
#include "maas/batching/service_time.h"
#include "maas/batching/wait_queue.h"
#include "maas/exec/executor_pool.h"
#include "maas/runtime/model.h"

namespace maas {

// Queues the requests of one model and turns them into batches. Eager and work-conserving: a free
// executor takes what waits now, so batches form while executors are busy and grow until they
// start; only a window (BatchPolicy) holds one open. Requests share a batch when they agree in
// their BatchKey; each gets exactly its own rows of the answer.
// Owned by its ServedModel; any thread may call it. Reports time to the clock it is given.
class Batcher final : public WorkSource, private BatchRun::Owner {
 public:
  // What it shares with other models; all of it outlives the batcher.
  struct Host {
    std::shared_ptr<Clock> clock;
    ExecutorPool& pool;
    ByteBudget& bytes;  // of the inputs of all requests that are not answered yet
  };
  // Throws invalid_argument when the options do not suit the model.
  Batcher(std::shared_ptr<Model> model, BatchOptions options, Host host);

  // Takes the job, or says why not: overloaded (queue full, too many bytes held, or too much work
  // before it to meet its deadline), deadline_exceeded (it has passed), invalid_argument (inputs
  // that do not fit the signature), unavailable (closed). A job refused is not completed. Sets
  // request.rows, and the mask where the request has none. A caller inside a WakeScope keeps the
  // ServedModel until the scope has ended.
  Status submit(const std::shared_ptr<Job>& job);
  // Why submit() would refuse whatever came now, if it would: before a body is parsed for nothing.
  [[nodiscard]] Status admits();

  // Its caller does not want the answer any more: a job that waits is completed with `why` at once,
  // one that runs is told (Batch::items). True when it had not started.
  bool cancel(Job& job, const Error& why) noexcept;

  Step run_one(const ExecutorContext& context, Ask ask) noexcept override;

  // Refuses new jobs from now on; a batch that is held open starts.
  void refuse() noexcept;
  // Refuses new jobs and waits until the accepted ones are answered; those that still
  // wait at the deadline are answered with unavailable, those that run are let run. True when all
  // was answered in time.
  bool close(Deadline deadline);

  [[nodiscard]] const BatchOptions& options() const noexcept { return options_; }
  [[nodiscard]] ModelStats& stats() noexcept { return stats_; }

 private:
  // What an executor found to do.
  struct Taken {
    void drop(std::shared_ptr<Job> job);

    ErrorSplit::Group group;  // to run
    std::vector<ErrorSplit::Verdict> verdicts;
    std::size_t dropped = 0;  // jobs in the verdicts
    Step step;
  };

  // As its pool knows it.
  [[nodiscard]] const WorkSource* work_source() const noexcept { return this; }
  Status enqueue(const std::shared_ptr<Job>& job);
  [[nodiscard]] Status check_open(std::size_t places) const;
  [[nodiscard]] Admission::Load load() const noexcept;
  Jobs parts_of(const std::shared_ptr<Job>& job);
  Jobs remove(Job& job);

  Taken take(TimePoint now, Ask ask);
  ErrorSplit::Group next_group(TimePoint now, Ask ask, Step& step);
  void drop_gone(Taken& taken, TimePoint now);
  void answer(Job& job, Result<Reply> result, TimePoint now) noexcept override;
  void settled(BatchRun& run, const std::optional<Error>& failure) noexcept override;
  void ended(BatchRun& run) noexcept override;
  std::vector<ErrorSplit::Verdict> judge(BatchRun& run, const std::optional<Error>& failure);
  std::size_t answer_all(const std::vector<ErrorSplit::Verdict>& verdicts, TimePoint now) noexcept;
  void answered(std::size_t jobs) noexcept;
  [[nodiscard]] bool is_idle() const noexcept;
  [[nodiscard]] bool is_brief(TimePoint now) const;

  const std::shared_ptr<Model> model_;
  const BatchOptions options_;
  const Host host_;
  const Padding padding_;
  const BatchKey key_;
  const Assembler assembler_;
  const Admission admission_;
  const bool fixed_cost_;  // a row's shapes, and so its cost, do not depend on the request
  ModelStats stats_;

  std::mutex mutex_;
  std::condition_variable idle_;  // signalled when nothing runs or waits any more
  WaitQueue queue_;               // guarded by mutex_
  ErrorSplit split_;              // guarded by mutex_
  ServiceTime service_;           // guarded by mutex_
  BriefWork brief_;               // guarded by mutex_
  int running_ = 0;               // guarded by mutex_; batches
  std::size_t answering_ = 0;     // guarded by mutex_; jobs that left the queue unrun
  bool closed_ = false;           // guarded by mutex_
};

}  // namespace maas
