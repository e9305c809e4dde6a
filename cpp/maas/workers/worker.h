// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/file_descriptor.h"
#include "maas/base/guarded.h"
#include "maas/base/log.h"
#include "maas/exec/thread.h"
#include "maas/workers/channel.h"
#include "maas/workers/child_process.h"
#include "maas/workers/restart_policy.h"
#include "maas/workers/worker_slots.h"
#include "maas/workers/worker_task.h"

namespace maas {

// One place for a worker process, with the thread that starts it, hears from it and starts it
// again when it has ended. What the process sends is checked, and a process that sends nonsense is
// ended. Owned by a WorkerPool; any thread may call it.
class Worker {
 public:
  struct Settings {
    ChildProcess::Command command;
    std::string setup;               // what the process is told at its start
    std::size_t most_in_flight = 1;  // batches it runs at once
    std::shared_ptr<Clock> clock{};
    LogSink log{};
  };
  // How a process ended.
  struct End {
    std::string how;  // "was killed by signal 9 (Killed)"
    pid_t pid = -1;
    bool told = false;      // we told it to stop
    bool failed = false;    // it said itself that it cannot serve, and `how` is why
    bool ready = false;     // it came to be ready
    bool answered = false;  // it answered something
    bool hung = false;
    DeathWatch::Cause cause = DeathWatch::Cause::kItself;
    std::vector<TaskPtr> tasks{};  // what it ran
  };
  // What it tells, without a lock.
  class Owner {
   public:
    virtual void ready(Worker& worker) noexcept = 0;
    virtual void answered(const TaskPtr& task, Result<BatchResult> result) noexcept = 0;
    // Called from the worker's thread. Waits until the process may be started again; false: never.
    virtual bool ended(Worker& worker, End end) noexcept = 0;

   protected:
    ~Owner() = default;
  };

  Worker(int index, const Settings& settings, Owner& owner);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  // The process ends when it can, or is ended; returns when it is gone.
  void stop() noexcept;

  // A place in the process for one batch.
  struct Place {
    Worker* worker = nullptr;
    TaskPtr task;
    std::shared_ptr<Channel> channel;
    std::uint32_t slot = 0;
    std::uint64_t sequence = 0;
  };
  // How many batches it runs, if it could run this one beside them.
  [[nodiscard]] std::optional<std::size_t> room_for(const WorkerTask& task) const;
  // Nothing when it cannot take the batch now. What took a place is answered by the process, or by
  // ended(), whatever happens; send() is to be called soon.
  [[nodiscard]] std::optional<Place> reserve(const TaskPtr& task);
  static void send(const Place& place);

  [[nodiscard]] int index() const noexcept { return index_; }
  // 0 while there is none.
  [[nodiscard]] pid_t pid() const noexcept { return pid_.load(std::memory_order_relaxed); }

 private:
  struct State {
    std::shared_ptr<Channel> channel;  // null while there is no process that takes batches
    WorkerSlots slots;
    bool retired = false;                // something is overdue: it takes nothing new
    TimePoint alarm = TimePoint::max();  // when the timer rings
  };

  void serve() noexcept;
  End live();
  void converse(const std::shared_ptr<Channel>& channel, End& end);
  bool hear(const std::shared_ptr<Channel>& channel, End& end);
  bool handle(const std::shared_ptr<Channel>& channel, Channel::Packet& packet, End& end);
  bool take_answer(Channel::Packet& packet);
  void pass_on_log(const Channel::Packet& packet) const;
  bool look_at_time(End& end);
  void end_process(const Channel& channel, ChildProcess& process, End& end);
  void let_finish(const Channel& channel) const;
  void write(const Place& place);
  void set_alarm(State& state, TimePoint at);

  const int index_;
  const Settings& settings_;
  Owner& owner_;
  const FileDescriptor timer_;
  Guarded<State> state_;
  TimePoint start_limit_;  // owned by the thread
  std::atomic<pid_t> pid_{0};
  std::atomic<bool> stopping_{false};
  Thread thread_;
};

}  // namespace maas
