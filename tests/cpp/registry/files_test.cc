// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/files.h"

#include <algorithm>
#include <cerrno>

#include "registry/fixture.h"

namespace maas {
namespace {

// Writes a byte at a time, and is interrupted before each.
class Slow : public SystemCalls {
 public:
  ssize_t write(int fd, const void* data, std::size_t size) override {
    if (std::exchange(interrupted_, !interrupted_)) {
      errno = EINTR;
      return -1;
    }
    return SystemCalls::write(fd, data, std::min<std::size_t>(size, 1));
  }

 private:
  bool interrupted_ = true;
};

class Full : public SystemCalls {
 public:
  ssize_t write(int, const void*, std::size_t) override {
    errno = ENOSPC;
    return -1;
  }
};

TEST(Files, go_on_after_a_short_write_and_a_signal) {
  const TemporaryFolder folder;
  const Files files(std::make_shared<Slow>());
  files.replace(folder / "a", "hello", folder / "tmp");
  EXPECT_EQ(files.read_whole(folder / "a", 100), "hello");
  EXPECT_FALSE(std::filesystem::exists(folder / "tmp"));
}

TEST(Files, replacing_leaves_the_old_text_when_the_disk_is_full) {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  const Files files(std::make_shared<Full>());
  try {
    files.replace(folder / "a", "new", folder / "tmp");
    FAIL() << "it did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.http_status(), 507);
    EXPECT_THAT(error.message(), testing::HasSubstr("the disk is full"));
  }
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder / "tmp"));
}

TEST(Files, link_new_never_replaces) {
  const TemporaryFolder folder;
  const Files files(std::make_shared<SystemCalls>());
  write_text(folder / "a", "a");
  write_text(folder / "b", "b");
  EXPECT_FALSE(files.link_new(folder / "a", folder / "b"));
  EXPECT_EQ(read_text(folder / "b"), "b");
  EXPECT_TRUE(files.link_new(folder / "a", folder / "c"));
}

TEST(Files, a_stamp_changes_with_the_bytes) {
  const TemporaryFolder folder;
  const Files files(std::make_shared<SystemCalls>());
  EXPECT_FALSE(files.stamp(folder / "a"));
  write_text(folder / "a", "a");
  const auto before = files.stamp(folder / "a");
  write_text(folder / "a", "bb");
  EXPECT_NE(files.stamp(folder / "a"), before);
  EXPECT_EQ(code_of([&] { (void)files.read_whole(folder / "a", 1); }), ErrorCode::kTooLarge);
  EXPECT_EQ(code_of([&] { (void)files.open_to_read(folder / "none"); }), ErrorCode::kNotFound);
}

TEST(Files, folders_are_made_with_those_above_them) {
  const TemporaryFolder folder;
  const Files files(std::make_shared<SystemCalls>());
  files.make_folder(folder.path() / "a" / "b" / "c");
  files.make_folder(folder.path() / "a" / "b" / "c");
  EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "a" / "b" / "c"));
  write_text(folder / "file", "");
  EXPECT_EQ(code_of([&] { files.make_folder(folder / "file"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
