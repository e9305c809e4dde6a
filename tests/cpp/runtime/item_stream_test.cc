// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/item_stream.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;
using News = ItemStream::News;
using Room = ItemStream::Room;

struct Counting final : StreamListener {
  void moved() noexcept override { ++times; }
  std::atomic<int> times{0};
};

ItemStream::Burst taken(ItemStream& stream) {
  ItemStream::Burst burst;
  stream.take(burst);
  return burst;
}

// Writes them one by one, waiting for room, and ends the stream.
void write_all(ItemStream& stream, int items) {
  for (int i = 0; i < items; ++i) {
    if (stream.write("x") == Room::kFull && !stream.wait_for_room()) {
      return;
    }
  }
  stream.end();
}

TEST(ItemStream, the_reader_takes_all_there_is_at_once) {
  ItemStream stream;
  stream.write("one");
  stream.write("");
  stream.write("three");
  const ItemStream::Burst burst = taken(stream);
  EXPECT_EQ(burst.bytes, "onethree");
  EXPECT_THAT(burst.ends, ElementsAre(3, 3, 8));
  EXPECT_FALSE(burst.over);
  ItemStream::Burst nothing;
  EXPECT_FALSE(stream.take(nothing));
}

TEST(ItemStream, the_end_comes_behind_the_items_and_only_once) {
  ItemStream stream;
  stream.write("x");
  stream.end();
  stream.end(Error(ErrorCode::kInternal, "too late"));
  stream.write("too late");
  const ItemStream::Burst burst = taken(stream);
  EXPECT_EQ(burst.bytes, "x");
  EXPECT_TRUE(burst.over);
  EXPECT_FALSE(burst.failure);
  ItemStream::Burst nothing;
  EXPECT_FALSE(stream.take(nothing));
}

TEST(ItemStream, news_tells_a_failure_before_the_first_item_from_one_behind_it) {
  ItemStream stream;
  EXPECT_EQ(stream.news(), News::kNone);
  stream.write("x");
  EXPECT_EQ(stream.news(), News::kItems);
  stream.end(Error(ErrorCode::kInternal, "midway"));
  EXPECT_EQ(stream.news(), News::kItems);
  EXPECT_EQ(taken(stream).failure->message(), "midway");

  ItemStream early;
  early.end(Error(ErrorCode::kInternal, "early"));
  EXPECT_EQ(early.news(), News::kFailed);
  ItemStream empty;
  empty.end();
  EXPECT_EQ(empty.news(), News::kItems);
}

TEST(ItemStream, is_full_by_items_and_by_bytes) {
  ItemStream by_items({.items = 2, .bytes = 100});
  EXPECT_EQ(by_items.write("x"), Room::kFree);
  EXPECT_EQ(by_items.write("x"), Room::kFull);
  EXPECT_TRUE(by_items.full());
  taken(by_items);
  EXPECT_FALSE(by_items.full());

  ItemStream by_bytes({.items = 100, .bytes = 10});
  EXPECT_EQ(by_bytes.write(std::string(50, 'x')), Room::kFull);
}

TEST(ItemStream, a_writer_waits_until_the_reader_has_taken) {
  ItemStream stream({.items = 1, .bytes = 100});
  const std::jthread writer([&] { write_all(stream, 1000); });
  std::size_t items = 0;
  std::size_t most = 0;
  for (ItemStream::Burst burst; !burst.over;) {
    if (stream.take(burst)) {
      items += burst.ends.size();
      most = std::max(most, burst.ends.size());
    } else {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(items, 1000U);
  EXPECT_EQ(most, 1U);
}

TEST(ItemStream, a_reader_that_leaves_frees_a_writer_that_waits) {
  ItemStream stream({.items = 1, .bytes = 100});
  stream.write("x");
  std::jthread writer([&] { EXPECT_FALSE(stream.wait_for_room()); });
  EXPECT_TRUE(stream.close());
  writer.join();
  EXPECT_EQ(stream.write("y"), Room::kGone);
  EXPECT_TRUE(stream.closed());
  EXPECT_FALSE(stream.close());
}

TEST(ItemStream, close_behind_the_end_cuts_nothing_short) {
  ItemStream stream;
  stream.end();
  taken(stream);
  EXPECT_FALSE(stream.close());
  ItemStream untaken;
  untaken.write("x");
  untaken.end();
  EXPECT_TRUE(untaken.close());
}

TEST(ItemStream, the_reader_is_told_once_for_all_that_it_has_not_taken) {
  ItemStream stream;
  const auto reader = std::make_shared<Counting>();
  stream.write("before");
  stream.watch_reader(reader);
  EXPECT_EQ(reader->times, 0);  // it looks for itself
  taken(stream);
  for (int i = 0; i < 10; ++i) {
    stream.write("x");
  }
  EXPECT_EQ(reader->times, 1);
  taken(stream);
  stream.end();
  EXPECT_EQ(reader->times, 2);
}

TEST(ItemStream, a_reader_that_is_gone_is_not_told) {
  ItemStream stream;
  auto reader = std::make_shared<Counting>();
  stream.watch_reader(reader);
  reader.reset();
  EXPECT_EQ(stream.write("x"), Room::kFree);
}

TEST(ItemStream, the_writer_is_told_of_room_when_it_was_full_and_of_the_reader_leaving) {
  ItemStream stream({.items = 2, .bytes = 100});
  const auto writer = std::make_shared<Counting>();
  stream.watch_writer(writer);
  stream.write("x");
  taken(stream);
  EXPECT_EQ(writer->times, 0);
  stream.write("x");
  stream.write("x");
  taken(stream);
  EXPECT_EQ(writer->times, 1);
  stream.close();
  EXPECT_EQ(writer->times, 2);
  const auto late = std::make_shared<Counting>();
  stream.watch_writer(late);
  EXPECT_EQ(late->times, 1);
}

TEST(ItemStream, begun_says_whether_an_item_was_ever_written) {
  ItemStream stream;
  EXPECT_FALSE(stream.begun());
  stream.write("x");
  taken(stream);
  EXPECT_TRUE(stream.begun());
}

}  // namespace
}  // namespace maas
