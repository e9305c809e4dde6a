// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/log.h"
#include "maas/base/result.h"
#include "maas/batching/job.h"
#include "maas/batching/model_stats.h"
#include "maas/batching/options.h"
#include "maas/exec/executor_pool.h"
#include "maas/runtime/model.h"

namespace maas {

// Queues the requests of one model and turns them into batches. Eager and work-conserving: a free
// executor takes what waits now, so batches form while executors are busy; only batch_timeout holds
// one open. Requests share a batch when dtype and row shape of every input agree; each gets exactly
// its own rows of the answer.
// Owned by its ServedModel; any thread may call it. Reports time to the clock it is given.
class Batcher final : public WorkSource {
 public:
  Batcher(std::shared_ptr<Model> model,
          BatchOptions options,
          std::shared_ptr<Clock> clock,
          ExecutorPool& pool);

  // Takes the job, or says why not: overloaded (queue full), invalid_argument (inputs that do not
  // fit the signature), unavailable (closed). A job refused is not completed. Sets request.rows.
  // A caller inside a WakeScope keeps the ServedModel until the scope has ended.
  Status submit(std::shared_ptr<Job> job);
  // Why submit() would refuse whatever came now, if it would: before a body is parsed for nothing.
  [[nodiscard]] Status admits();

  // Its caller does not want the answer any more: a job that waits is completed with `why` at once,
  // one that runs is told (Batch::items). True when it had not started.
  bool cancel(Job& job, const Error& why) noexcept;

  Step run_one(const ExecutorContext& context) noexcept override;

  // Refuses new jobs from now on; a batch that is held open starts.
  void refuse() noexcept;
  // Refuses new jobs and waits until the accepted ones are answered; those that still
  // wait at the deadline are answered with unavailable, those that run are let run. True when all
  // was answered in time.
  bool close(Deadline deadline);

  [[nodiscard]] const BatchOptions& options() const noexcept { return options_; }
  [[nodiscard]] ModelStats& stats() noexcept { return stats_; }

 private:
  using Jobs = std::vector<std::shared_ptr<Job>>;
  struct Running;
  struct Taken {
    Jobs batch;
    Jobs expired;
    Step step;
  };

  [[nodiscard]] Status check_open() const;
  Taken take(TimePoint now);
  bool ready(TimePoint now, Step& step) const;
  void take_expired(TimePoint now, Jobs& expired);
  void take_batch(Jobs& batch);
  void execute(Jobs batch, const ExecutorContext& context) noexcept;
  void finish(Running& running, Result<BatchResult> result) noexcept;
  void scatter(Running& running, const BatchResult& result, TimePoint now);
  void answer(Job& job, Result<Reply> result, TimePoint now) noexcept;
  void answered(std::size_t jobs) noexcept;
  void release_executor() noexcept;
  [[nodiscard]] bool is_idle() const noexcept;

  const std::shared_ptr<Model> model_;
  const BatchOptions options_;
  const std::shared_ptr<Clock> clock_;
  ExecutorPool& pool_;
  ModelStats stats_;

  std::mutex mutex_;
  std::condition_variable idle_;            // signalled when nothing runs or waits any more
  std::deque<std::shared_ptr<Job>> queue_;  // guarded by mutex_
  std::int64_t queued_rows_ = 0;            // guarded by mutex_
  int running_ = 0;                         // guarded by mutex_; batches
  std::size_t answering_ = 0;               // guarded by mutex_; jobs that left the queue unrun
  bool closed_ = false;                     // guarded by mutex_
};

}  // namespace maas
