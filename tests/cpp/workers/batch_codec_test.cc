// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/batch_codec.h"

#include <chrono>
#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/workers/wire.h"

namespace maas {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

Batch two_requests() {
  Batch batch;
  batch.rows = 3;
  batch.inputs.push_back(Tensor::zeros(DType::kFloat32, {3, 5}));
  batch.inputs.emplace_back();
  batch.inputs.push_back(Tensor::from_strings({"a", "", "c"}, {3}));
  batch.items.push_back({RequestId::next(), 1, {}, std::make_shared<Cancellation>()});
  batch.items.push_back({RequestId::next(), 2, {}, std::make_shared<Cancellation>()});
  return batch;
}

TEST(BatchCodec, a_batch_comes_back_as_it_was) {
  const SystemClock clock;
  const Batch batch = two_requests();
  const auto memory = SharedMemory::create(batch_size(batch));
  write_batch(batch, clock, *memory);
  const auto received = read_batch(memory, false);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->batch.rows, 3);
  ASSERT_EQ(received->batch.inputs.size(), 3U);
  EXPECT_EQ(received->batch.inputs[0].shape(), (Shape{3, 5}));
  EXPECT_TRUE(received->batch.inputs[1].is_absent());
  EXPECT_THAT(received->batch.inputs[2].strings(), ElementsAre("a", "", "c"));
  ASSERT_EQ(received->batch.items.size(), 2U);
  EXPECT_EQ(received->batch.items[1].rows, 2);
  EXPECT_EQ(received->batch.items[1].id.text(), batch.items[1].id.text());
  EXPECT_TRUE(received->batch.items[1].deadline.is_never());
}

TEST(BatchCodec, an_item_brings_what_is_known_of_where_it_came_from) {
  const SystemClock clock;
  Batch batch = two_requests();
  batch.items[1].origin = std::make_shared<const Origin>(
      Origin{"/embed?n=2", {{"Accept", "image/webp"}, {"X-Empty", ""}}, "somebody"});
  const auto memory = SharedMemory::create(batch_size(batch));
  write_batch(batch, clock, *memory);
  const auto received = read_batch(memory, false);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->batch.inputs.size(), 3U);
  EXPECT_EQ(received->batch.items[0].origin, nullptr);
  const auto& origin = received->batch.items[1].origin;
  ASSERT_NE(origin, nullptr);
  EXPECT_EQ(origin->target, "/embed?n=2");
  EXPECT_EQ(origin->identity, "somebody");
  EXPECT_EQ(origin->headers, batch.items[1].origin->headers);
}

TEST(BatchCodec, tensors_borrow_the_memory_and_keep_it_or_are_copies) {
  const SystemClock clock;
  const Batch batch = two_requests();
  const auto memory = SharedMemory::create(batch_size(batch));
  write_batch(batch, clock, *memory);
  {
    const auto borrowed = read_batch(memory, false);
    EXPECT_EQ(memory.use_count(), 2);
  }
  const auto copied = read_batch(memory, true);
  EXPECT_EQ(memory.use_count(), 1);
}

TEST(BatchCodec, a_flag_cancels_the_item_in_the_other_process_until_it_is_let_go) {
  const SystemClock clock;
  const Batch batch = two_requests();
  const auto memory = SharedMemory::create(batch_size(batch));
  const auto flags = write_batch(batch, clock, *memory);
  auto received = read_batch(memory, false);
  flags[1] = true;
  EXPECT_FALSE(received->batch.items[0].cancellation->cancelled());
  EXPECT_TRUE(received->batch.items[1].cancellation->cancelled());
  received->release();
  flags[0] = true;
  EXPECT_FALSE(received->batch.items[0].cancellation->cancelled());
  EXPECT_TRUE(received->batch.items[1].cancellation->cancelled());
}

TEST(BatchCodec, what_is_left_on_a_clock_of_a_test_is_left_on_the_machines) {
  ManualClock clock;
  clock.advance(std::chrono::hours(5));
  Batch batch = two_requests();
  batch.items[0].deadline = Deadline::after(clock, std::chrono::seconds(10));
  const auto memory = SharedMemory::create(batch_size(batch));
  write_batch(batch, clock, *memory);
  const auto left =
      read_batch(memory, false)->batch.items[0].deadline.at() - std::chrono::steady_clock::now();
  EXPECT_GT(left, std::chrono::seconds(5));
  EXPECT_LE(left, std::chrono::seconds(10));
}

TEST(BatchCodec, an_empty_batch_is_one_too) {
  const SystemClock clock;
  const auto memory = SharedMemory::create(batch_size({}));
  write_batch({}, clock, *memory);
  EXPECT_TRUE(read_batch(memory, false));
}

TEST(BatchCodec, counts_that_do_not_fit_are_refused) {
  const SystemClock clock;
  const Batch batch = two_requests();
  const auto memory = SharedMemory::create(batch_size(batch));
  const auto refused = [&](wire::BatchHeader header) {
    write_batch(batch, clock, *memory);
    std::memcpy(memory->bytes().data(), &header, sizeof(header));
    return !read_batch(memory, false).ok();
  };
  EXPECT_FALSE(refused({3, 2, 3}));
  EXPECT_TRUE(refused({0xffffffffU, 2, 3}));
  EXPECT_TRUE(refused({3, 0xffffffffU, 3}));
  EXPECT_TRUE(refused({3, 2, -1}));
}

TEST(BatchCodec, random_bytes_are_never_looked_at_from_outside) {
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same bytes in each run, on purpose
  std::mt19937 random(7);
  const SystemClock clock;
  const Batch batch = two_requests();
  const auto memory = SharedMemory::create(batch_size(batch));
  for (int i = 0; i < 2000; ++i) {
    write_batch(batch, clock, *memory);
    for (int spoilt = 0; spoilt < 4; ++spoilt) {
      memory->bytes()[random() % batch_size(batch)] = static_cast<std::byte>(random());
    }
    if (auto received = read_batch(memory, i % 2 == 0)) {
      received->release();
    }
  }
}

}  // namespace
}  // namespace maas
