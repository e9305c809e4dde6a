// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/exec/arena.h"
#include "maas/exec/thread.h"
#include "maas/exec/wake.h"

namespace maas {

// What an executor thread lends to the work it runs.
struct ExecutorContext {
  Arena* arena;
  int intra_op_threads;
};

// Where a pool's threads find work. run_one() is called by several of them at once.
class WorkSource {
 public:
  struct Step {
    bool ran = false;
    TimePoint next = TimePoint::max();  // when to ask again, if it did not run
  };
  virtual ~WorkSource() = default;
  // Runs one piece of work if one is ready. Must not throw.
  virtual Step run_one(const ExecutorContext& context) noexcept = 0;
};

// Threads that serve work sources in turn, each source one piece at a time, and sleep without using
// the processor when none has any. Owned by an Engine; add, remove, grow_to and wake may be called
// from any thread. The destructor joins: remove the sources first.
class ExecutorPool final : public Wakeable {
 public:
  struct Options {
    std::string name;  // of its threads
    int threads = 1;
    int intra_op_threads = 1;
  };
  ExecutorPool(Options options, std::shared_ptr<Clock> clock);
  ~ExecutorPool();
  ExecutorPool(const ExecutorPool&) = delete;
  ExecutorPool& operator=(const ExecutorPool&) = delete;

  void add(std::shared_ptr<WorkSource> source);
  // Waits until no thread is in run_one() of `source`; after it returns none holds it or asks it
  // again. Not to be called from that run_one().
  void remove(const WorkSource* source);
  // More threads, when a source may run more pieces at once than there are.
  void grow_to(int threads);
  [[nodiscard]] int threads() const;

  // There may be work: one sleeping thread looks.
  void wake() noexcept override;

 private:
  void stop() noexcept;
  void serve();
  // Asks each source once, beginning behind the one that ran last. Lets `lock` go while it asks,
  // and holds no source but the one it asks, so that the others can go away meanwhile.
  WorkSource::Step serve_once(std::unique_lock<std::mutex>& lock, const ExecutorContext& context);
  WorkSource::Step ask(std::unique_lock<std::mutex>& lock,
                       std::shared_ptr<WorkSource> source,
                       const ExecutorContext& context);

  const Options options_;
  const std::shared_ptr<Clock> clock_;

  mutable std::mutex mutex_;
  std::condition_variable condition_;
  std::condition_variable asked_;                     // signalled when a thread has asked a source
  std::vector<std::shared_ptr<WorkSource>> sources_;  // guarded by mutex_
  std::vector<const WorkSource*> asking_;             // guarded by mutex_; one per thread that asks
  std::size_t turn_ = 0;                              // guarded by mutex_; where to begin asking
  std::uint64_t epoch_ = 0;                           // guarded by mutex_; counts wake-ups
  int sleeping_ = 0;                                  // guarded by mutex_
  int removing_ = 0;                                  // guarded by mutex_; threads in remove()
  bool stopping_ = false;                             // guarded by mutex_
  std::vector<Thread> threads_;                       // guarded by mutex_
};

}  // namespace maas
