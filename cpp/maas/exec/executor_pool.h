// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/exec/arena.h"
#include "maas/exec/fair_share.h"
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
  enum class Ask : std::uint8_t {
    kDue,   // work that should start now
    kIdle,  // the thread would else sleep: work that only may start now is welcome too
    kHere,  // a thread with other duties: only what is done sooner than another thread wakes
  };
  struct Step {
    bool ran = false;
    bool held = false;                  // did not run, but would have if asked for kIdle
    TimePoint next = TimePoint::max();  // when to ask again, if it did not run
  };
  virtual ~WorkSource() = default;
  // Runs one piece of work if one is ready. Must not throw.
  virtual Step run_one(const ExecutorContext& context, Ask ask) noexcept = 0;
};

// Threads that serve work sources, each source one piece at a time and by its share of the threads'
// time (FairShare), and sleep without using the processor when none has any. Owned by an Engine;
// add, remove, grow_to and wake may be called from any thread. The destructor joins: remove the
// sources first.
class ExecutorPool final : public Wakeable {
 public:
  struct Options {
    std::string name;  // of its threads
    int threads = 1;
    int intra_op_threads = 1;
    // Its sources do not know each other and should not wait for one another: brief work may run
    // on the thread that brings it (run_here()), and one thread more relieves those that run what
    // takes long.
    bool shared = false;
  };
  ExecutorPool(Options options, std::shared_ptr<Clock> clock);
  ~ExecutorPool();
  ExecutorPool(const ExecutorPool&) = delete;
  ExecutorPool& operator=(const ExecutorPool&) = delete;

  // `weight` is beside those of the other sources.
  void add(std::shared_ptr<WorkSource> source, double weight = 1);
  // Waits until no thread is in run_one() of `source`; after it returns none holds it or asks it
  // again. Not to be called from that run_one().
  void remove(const WorkSource* source);
  // More threads, when a source may run more pieces at once than there are.
  void grow_to(int threads);
  [[nodiscard]] int threads() const;  // that one source can make use of

  // There may be work, of the source `reason` if that is not null: one sleeping thread looks, of
  // those that nobody has woken yet the one that fell asleep last, whose caches are the warmest.
  void wake(const void* reason) noexcept override;
  // Asks the source `reason` for brief work, when all threads sleep or run what holds it up. Else
  // one of them is soon there.
  bool run_here(const void* reason) noexcept override;

  // Waits until all threads sleep and nothing will wake them but time or new work; false when that
  // takes longer than `patience`, of real time.
  bool settle(std::chrono::milliseconds patience);

 private:
  enum class Duty : std::uint8_t {
    kAll,     // whatever is next
    kRelief,  // only what is held up by the work that all the others run
  };
  struct Sleeper {
    TimePoint until;
    Duty duty;
    bool woken = false;  // it has been told to look, and may not have yet
    std::condition_variable condition{};
  };
  void stop() noexcept;
  void serve(Duty duty);
  void start_relief();  // REQUIRES: mutex_ is held
  // Asks each source once, in fair order, and once more if one holds work back. Lets `lock` go
  // while it asks, and holds no source but the one it asks, so that the others can go away.
  WorkSource::Step serve_once(std::unique_lock<std::mutex>& lock, const ExecutorContext& context);
  WorkSource::Step relieve(std::unique_lock<std::mutex>& lock, const ExecutorContext& context);
  // Whether all threads but the relief are awake, and the fair shares say the rest.
  [[nodiscard]] bool is_held_up(FairShare::Id id) const noexcept;
  [[nodiscard]] std::ptrdiff_t asleep(Duty duty) const noexcept;
  void wake_one(Duty duty) noexcept;
  WorkSource::Step ask_all(std::unique_lock<std::mutex>& lock,
                           const ExecutorContext& context,
                           WorkSource::Ask ask);
  WorkSource::Step ask_one(std::unique_lock<std::mutex>& lock,
                           FairShare::Id id,
                           const ExecutorContext& context,
                           WorkSource::Ask ask);
  void sleep(std::unique_lock<std::mutex>& lock, TimePoint until, Duty duty);
  [[nodiscard]] bool is_settled() const;

  const Options options_;
  const std::shared_ptr<Clock> clock_;

  mutable std::mutex mutex_;
  std::condition_variable asked_;                     // signalled when a thread has asked a source
  std::vector<std::shared_ptr<WorkSource>> sources_;  // guarded by mutex_
  std::vector<const WorkSource*> asking_;             // guarded by mutex_; one per thread that asks
  FairShare fair_;                                    // guarded by mutex_
  std::uint64_t epoch_ = 0;                           // guarded by mutex_; counts wake-ups
  std::vector<Sleeper*> sleepers_;       // guarded by mutex_; who fell asleep last is the last
  std::condition_variable fell_asleep_;  // for settle()
  int removing_ = 0;                     // guarded by mutex_; threads in remove()
  bool stopping_ = false;                // guarded by mutex_
  std::vector<Thread> threads_;          // guarded by mutex_
  std::vector<Thread> relief_;           // guarded by mutex_; one, once there are two sources
};

}  // namespace maas
