// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/system_calls.h"

#include <cerrno>

#include "registry/fixture.h"
#include <fcntl.h>
#include <unistd.h>

namespace maas {
namespace {

TEST(SystemCalls, are_those_of_the_system) {
  const TemporaryFolder folder;
  SystemCalls calls;
  const std::string path = folder / "a";
  const int fd = calls.open(path.c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_GE(fd, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << "no child process inherits it";
  EXPECT_EQ(calls.write(fd, "abc", 3), 3);
  EXPECT_EQ(calls.fsync(fd), 0);
  ::close(fd);
  const std::string other = folder / "b";
  EXPECT_EQ(calls.link(path.c_str(), other.c_str()), 0);
  EXPECT_EQ(calls.link(path.c_str(), other.c_str()), -1);
  EXPECT_EQ(errno, EEXIST);
  EXPECT_EQ(calls.rename(path.c_str(), (folder / "c").c_str()), 0);
  EXPECT_EQ(calls.unlink(other.c_str()), 0);
  EXPECT_EQ(read_text(folder / "c"), "abc");
}

}  // namespace
}  // namespace maas
