// SPDX-License-Identifier: Apache-2.0
#include "maas/server/byte_buffer.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ByteBuffer, grows_and_keeps_what_it_holds) {
  ByteBuffer buffer;
  EXPECT_EQ(buffer.view(), "");
  buffer.append("abc");
  buffer.reserve(100);
  buffer.append("def");
  EXPECT_EQ(buffer.view(), "abcdef");
  EXPECT_GE(buffer.capacity(), 100U);
}

TEST(ByteBuffer, bytes_are_received_into_its_room) {
  ByteBuffer buffer;
  buffer.reserve(10);
  std::memcpy(buffer.room().data(), "hello", 5);
  buffer.add(5);
  EXPECT_EQ(buffer.view(), "hello");
  EXPECT_EQ(buffer.room().size(), 5U);
}

TEST(ByteBuffer, clear_gives_large_memory_back) {
  ByteBuffer buffer;
  buffer.append("abc");
  buffer.reserve(1000);
  buffer.clear(1000);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.capacity(), 1000U);
  buffer.clear(999);
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("again");
  EXPECT_EQ(buffer.view(), "again");
}

TEST(ByteBuffer, a_chosen_byte_is_aligned_also_after_growing) {
  ByteBuffer buffer;
  buffer.append("what it held before");
  buffer.clear(1000);
  buffer.align(5);
  for (int i = 0; i < 10; ++i) {
    buffer.append(std::string(100, 'x'));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.view().data() + 5) % ByteBuffer::kAlignment,
              0U);
  }
}

TEST(ByteBuffer, lent_memory_stays_as_it_is) {
  ByteBuffer buffer;
  buffer.append("tensor");
  const std::string_view lent = buffer.view();
  const auto memory = buffer.lend();
  buffer.clear(1000);
  buffer.append("other!");
  EXPECT_EQ(lent, "tensor");
  EXPECT_EQ(buffer.view(), "other!");
  EXPECT_EQ(memory.use_count(), 1);
}

}  // namespace
}  // namespace maas
