// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_slots.h"

#include <algorithm>
#include <utility>

namespace maas {

std::uint32_t WorkerSlots::take(const TaskPtr& task, TimePoint overdue) {
  const auto free = std::find_if(slots_.begin(), slots_.end(),
                                 [](const Slot& slot) { return slot.task == nullptr; });
  free->task = task;
  free->sequence = ++sequence_;
  free->overdue = overdue;
  ++running_;
  exclusive_ = task->exclusive;
  return static_cast<std::uint32_t>(free - slots_.begin());
}

WorkerSlots::Slot* WorkerSlots::answered_by(const wire::Message& message) noexcept {
  if (message.slot >= slots_.size()) {
    return nullptr;
  }
  Slot& slot = slots_[message.slot];
  return slot.task != nullptr && slot.sequence == message.sequence ? &slot : nullptr;
}

void WorkerSlots::Slot::watch(std::span<std::atomic<bool>> copies) {
  flags = copies;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (const auto& cancellation = task->batch.items[i].cancellation) {
      cancellation->add_copy(&flags[i]);
    }
  }
}

// The flags are about to be another batch's, or gone.
void WorkerSlots::Slot::let_go() noexcept {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (const auto& cancellation = task->batch.items[i].cancellation) {
      cancellation->remove_copy(&flags[i]);
    }
  }
  flags = {};
}

void WorkerSlots::free(Slot& slot, bool in_use) noexcept {
  slot.let_go();
  slot.task = nullptr;
  --running_;
  exclusive_ = false;
  const auto is_large = [](const auto& memory) {
    return memory != nullptr && memory->bytes().size() > SharedMemory::kMostKept;
  };
  if (in_use || is_large(slot.request)) {
    slot.request = nullptr;
  }
  if (is_large(slot.reply)) {
    slot.reply = nullptr;  // the worker lets it go as well
  }
}

bool WorkerSlots::free_if(std::uint32_t index, std::uint64_t sequence) noexcept {
  Slot& slot = slots_[index];
  if (slot.task == nullptr || slot.sequence != sequence) {
    return false;
  }
  free(slot, false);
  return true;
}

std::vector<TaskPtr> WorkerSlots::take_all() noexcept {
  std::vector<TaskPtr> tasks;
  for (Slot& slot : slots_) {
    if (slot.task != nullptr) {
      slot.let_go();
      tasks.push_back(std::move(slot.task));
    }
    slot = Slot{};
  }
  running_ = 0;
  exclusive_ = false;
  return tasks;
}

TimePoint WorkerSlots::next_overdue(TimePoint now) const noexcept {
  TimePoint next = TimePoint::max();
  for (const Slot& slot : slots_) {
    if (slot.task != nullptr && slot.overdue > now) {
      next = std::min(next, slot.overdue);
    }
  }
  return next;
}

std::size_t WorkerSlots::overdue(TimePoint now) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(),
                    [&](const Slot& slot) { return slot.task != nullptr && slot.overdue <= now; }));
}

}  // namespace maas
