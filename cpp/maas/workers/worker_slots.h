// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "maas/base/clock.h"
#include "maas/workers/channel.h"
#include "maas/workers/worker_task.h"

namespace maas {

// The batches that one worker process runs, and the memory they go through. Memory is used again by
// the next batch of its slot. Not thread-safe: guarded by its Worker's lock.
class WorkerSlots {
 public:
  // A hung worker is replaced this long after the deadline: who looks at ctx.cancelled can still
  // return, and its process live on.
  static constexpr Duration kGrace = std::chrono::milliseconds(500);

  explicit WorkerSlots(std::size_t most) : slots_(most) {}

  // Whether the worker may run this batch beside those it runs.
  [[nodiscard]] bool has_room_for(const WorkerTask& task) const noexcept {
    return !exclusive_ && running_ < slots_.size() && (!task.exclusive || running_ == 0);
  }
  // Takes a slot. `overdue` is when the worker is hung if it has not answered.
  // REQUIRES: has_room_for(*task)
  std::uint32_t take(const TaskPtr& task, TimePoint overdue);
  struct Slot {
    TaskPtr task;  // null: free
    std::uint64_t sequence = 0;
    TimePoint overdue;
    std::shared_ptr<SharedMemory> request;  // the server writes it
    std::shared_ptr<SharedMemory> reply;    // the worker writes it
    std::span<std::atomic<bool>> flags;     // in `request`: cancellations of the task's items

    // The flags follow the cancellations from now on, until the slot is free.
    void watch(std::span<std::atomic<bool>> copies);
    void let_go() noexcept;
  };
  [[nodiscard]] Slot& at(std::uint32_t index) noexcept { return slots_[index]; }
  // The slot whose batch a message answers; null when there is none.
  Slot* answered_by(const wire::Message& message) noexcept;
  // The batch is answered. `in_use`: the worker still looks at what it was asked.
  void free(Slot& slot, bool in_use) noexcept;
  // The same for a batch that was never sent, if it is still there.
  bool free_if(std::uint32_t index, std::uint64_t sequence) noexcept;
  // The process has ended: its batches, and no memory any more.
  std::vector<TaskPtr> take_all() noexcept;

  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  // When the next one is overdue; never when none will be.
  [[nodiscard]] TimePoint next_overdue(TimePoint now) const noexcept;
  // How many are.
  [[nodiscard]] std::size_t overdue(TimePoint now) const noexcept;

 private:
  std::vector<Slot> slots_;
  std::uint64_t sequence_ = 0;
  std::size_t running_ = 0;
  bool exclusive_ = false;  // the one that runs wants to be alone
};

}  // namespace maas
