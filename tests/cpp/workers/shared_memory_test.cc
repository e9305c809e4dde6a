// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/shared_memory.h"

#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(SharedMemory, two_views_of_it_are_the_same_bytes) {
  const auto one = SharedMemory::create(1000);
  ASSERT_GE(one->bytes().size(), 1000U);
  const auto other = SharedMemory::adopt(FileDescriptor(::dup(one->fd())), one->bytes().size());
  std::memcpy(one->bytes().data() + 999, "x", 1);
  EXPECT_EQ(std::memcmp(other->bytes().data() + 999, "x", 1), 0);
  EXPECT_NE(one->bytes().data(), other->bytes().data());
}

TEST(SharedMemory, stays_when_its_descriptor_is_closed) {
  const auto memory = SharedMemory::create(0);
  memory->close_descriptor();
  memory->bytes().front() = std::byte{1};
  EXPECT_EQ(memory->bytes().front(), std::byte{1});
}

TEST(SharedMemory, nobody_can_shrink_it_or_make_that_possible) {
  const auto memory = SharedMemory::create(100);
  EXPECT_NE(::ftruncate(memory->fd(), 0), 0);
  EXPECT_NE(::fcntl(memory->fd(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(SharedMemory, what_may_shrink_or_has_another_size_is_not_adopted) {
  FileDescriptor loose(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(loose.get(), 4096), 0);
  EXPECT_THROW(SharedMemory::adopt(std::move(loose), 4096), Error);
  const auto memory = SharedMemory::create(100);
  const auto copy = [&] { return FileDescriptor(::dup(memory->fd())); };
  EXPECT_THROW(SharedMemory::adopt(copy(), 2 * memory->bytes().size()), Error);
  EXPECT_THROW(SharedMemory::adopt(copy(), 0), Error);
  EXPECT_THROW(SharedMemory::adopt(FileDescriptor(::open("/dev/null", O_RDWR | O_CLOEXEC)), 4096),
               Error);
}

TEST(SharedMemory, more_than_there_is_is_an_error_with_the_size) {
  try {
    SharedMemory::create(std::numeric_limits<std::size_t>::max());
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOverloaded);
    EXPECT_NE(error.message().find("18446744073709551615"), std::string::npos);
  }
}

}  // namespace
}  // namespace maas
