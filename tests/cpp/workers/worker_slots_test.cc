// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_slots.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

using namespace std::chrono_literals;

TaskPtr task(bool exclusive) {
  auto made = std::make_shared<WorkerTask>();
  made->exclusive = exclusive;
  return made;
}

TEST(WorkerSlots, one_that_wants_to_be_alone_is) {
  WorkerSlots slots(4);
  EXPECT_TRUE(slots.has_room_for(*task(true)));
  const auto alone = slots.take(task(true), TimePoint::max());
  EXPECT_FALSE(slots.has_room_for(*task(false)));
  slots.free(slots.at(alone), false);
  slots.take(task(false), TimePoint::max());
  EXPECT_FALSE(slots.has_room_for(*task(true)));
  EXPECT_TRUE(slots.has_room_for(*task(false)));
}

TEST(WorkerSlots, takes_as_many_as_there_are) {
  WorkerSlots slots(2);
  slots.take(task(false), TimePoint::max());
  slots.take(task(false), TimePoint::max());
  EXPECT_FALSE(slots.has_room_for(*task(false)));
  EXPECT_EQ(slots.running(), 2U);
}

TEST(WorkerSlots, an_answer_belongs_to_the_run_of_its_sequence) {
  WorkerSlots slots(2);
  const auto first = slots.take(task(false), TimePoint::max());
  const auto sequence = slots.at(first).sequence;
  EXPECT_NE(slots.answered_by({.slot = first, .sequence = sequence}), nullptr);
  EXPECT_EQ(slots.answered_by({.slot = first, .sequence = sequence + 1}), nullptr);
  EXPECT_EQ(slots.answered_by({.slot = 1, .sequence = sequence}), nullptr);
  EXPECT_EQ(slots.answered_by({.slot = 2, .sequence = sequence}), nullptr);
  EXPECT_FALSE(slots.free_if(first, sequence + 1));
  EXPECT_TRUE(slots.free_if(first, sequence));
  EXPECT_EQ(slots.answered_by({.slot = first, .sequence = sequence}), nullptr);
}

TEST(WorkerSlots, memory_is_kept_for_the_next_unless_it_is_in_use_or_large) {
  WorkerSlots slots(1);
  const auto use = [&](std::size_t size, bool in_use) {
    WorkerSlots::Slot& slot = slots.at(slots.take(task(true), TimePoint::max()));
    slot.request = SharedMemory::create(size);
    slot.reply = SharedMemory::create(size);
    slots.free(slot, in_use);
    return std::pair(slot.request != nullptr, slot.reply != nullptr);
  };
  EXPECT_EQ(use(100, false), std::pair(true, true));
  EXPECT_EQ(use(100, true), std::pair(false, true));
  EXPECT_EQ(use(SharedMemory::kMostKept + 1, false), std::pair(false, false));
}

TEST(WorkerSlots, knows_what_is_overdue_and_what_will_be_next) {
  WorkerSlots slots(3);
  const TimePoint now{};
  EXPECT_EQ(slots.next_overdue(now), TimePoint::max());
  slots.take(task(false), now + 1s);
  slots.take(task(false), now + 2s);
  EXPECT_EQ(slots.next_overdue(now), now + 1s);
  EXPECT_EQ(slots.overdue(now), 0U);
  EXPECT_EQ(slots.next_overdue(now + 1s), now + 2s);
  EXPECT_EQ(slots.overdue(now + 1s), 1U);
  EXPECT_EQ(slots.overdue(now + 2s), 2U);
}

TEST(WorkerSlots, gives_all_its_batches_back_and_touches_no_flag_of_theirs_again) {
  WorkerSlots slots(2);
  const TaskPtr one = task(false);
  const auto cancellation = std::make_shared<Cancellation>();
  BatchItem item;
  item.cancellation = cancellation;
  one->batch.items.push_back(std::move(item));
  std::atomic<bool> flag{false};
  slots.at(slots.take(one, TimePoint::max())).watch({&flag, 1});
  EXPECT_EQ(slots.take_all(), std::vector<TaskPtr>{one});
  EXPECT_EQ(slots.running(), 0U);
  cancellation->cancel();
  EXPECT_FALSE(flag);
}

}  // namespace
}  // namespace maas
