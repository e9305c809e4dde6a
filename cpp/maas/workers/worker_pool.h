// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/error.h"
#include "maas/base/guarded.h"
#include "maas/base/log.h"
#include "maas/workers/restart_policy.h"
#include "maas/workers/suspects.h"
#include "maas/workers/worker.h"
#include "maas/workers/worker_stats.h"
#include "maas/workers/worker_task.h"

namespace maas {

// Worker processes that all serve the same models, and what happens when one dies: its batches fail
// or run again, it is started again after a while (BackOff), and when that happens too often nobody
// is served for a while (DeathWatch). A batch waits here only while no worker can take it. Shared
// by the RemoteModels of its models; any thread may call it. The destructor ends the processes.
class WorkerPool final : private Worker::Owner {
 public:
  struct Options {
    std::string name;  // in logs and errors: "endpoint /predict"
    int workers = 1;
    Worker::Settings worker;
  };
  // Starts the processes and waits until all are ready. Throws what keeps one of them from it.
  explicit WorkerPool(Options options);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Answers the task exactly once, here when it is refused, else from a thread of the pool.
  void submit(const TaskPtr& task);
  // Ends the processes now; what they run and whatever comes later fails. May be called again.
  void stop() noexcept;

  // Why nobody is served at present; nothing when somebody is.
  [[nodiscard]] std::optional<Error> unavailable() const;
  [[nodiscard]] const WorkerStats& stats() const noexcept { return stats_; }
  [[nodiscard]] int workers() const noexcept { return options_.workers; }
  // Of the processes that run.
  [[nodiscard]] std::vector<pid_t> pids() const;

 private:
  // What was decided under the lock and is done without it.
  struct Answer {
    TaskPtr task;
    Error error;
  };
  using Answers = std::vector<Answer>;

  void wait_for_start();
  void place();
  std::optional<Worker::Place> place_for(const TaskPtr& task);
  void drop_expired(TimePoint now, Answers& gone);
  std::optional<Error> refusal(WorkerTask& task);
  [[nodiscard]] Error stopped() const;
  [[nodiscard]] std::optional<Error> alarm_error(TimePoint now) const;

  void ready(Worker& worker) noexcept override;
  void answered(const TaskPtr& task, Result<BatchResult> result) noexcept override;
  bool ended(Worker& worker, Worker::End end) noexcept override;
  bool fail_start(const Worker::End& end);
  void bury(const Worker& worker, const Worker::End& end);
  Answers settle_accounts(const Worker::End& end, bool blamed, bool& raised);
  Error why_failed(const WorkerTask& task, const Worker::End& end) const;
  bool note_suspects(const Worker::End& end);
  void clear_suspects(const WorkerTask& task);
  bool is_culprit(const WorkerTask& task);
  bool wait_to_restart(TimePoint until);
  void tell(const Worker& worker, const Worker::End& end, Duration wait) const;

  const Options options_;
  WorkerStats stats_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TaskPtr> pending_;         // guarded by mutex_
  DeathWatch watch_;                    // guarded by mutex_
  std::set<const Worker*> starting_;    // guarded by mutex_; not yet ready for the first time
  std::optional<Error> start_failure_;  // guarded by mutex_
  bool started_ = false;                // guarded by mutex_
  bool stopping_ = false;               // guarded by mutex_

  Guarded<Suspects> suspects_;
  std::atomic<bool> any_suspects_{false};
  std::vector<BackOff> back_offs_;  // each owned by its worker's thread
  std::mutex stopped_once_;
  std::vector<std::unique_ptr<Worker>> workers_;  // last: their threads use all of the above
};

}  // namespace maas
