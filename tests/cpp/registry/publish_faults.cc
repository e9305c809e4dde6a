// SPDX-License-Identifier: Apache-2.0
// Every system call of a publication fails in turn, our own and SQLite's: what throws has not
// happened, what returns has, and the next attempt works.
#include <cerrno>

#include "registry/fixture.h"
#include <sqlite3.h>
#include <unistd.h>

#include "maas/registry/fsck.h"

namespace maas {
namespace {

// Counts calls; the one whose turn has come fails.
struct Fault {
  static inline int calls = 0;
  static inline int turn = 0;  // 0 for never
  static inline int error = 0;
  static bool hits() { return ++calls == turn; }
  static int fail() {
    errno = error != 0 ? error : EIO;
    return -1;
  }
};

class Faulty final : public SystemCalls {
 public:
  int open(const char* path, int flags, mode_t mode) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::open(path, flags, mode);
  }
  ssize_t read(int fd, void* data, std::size_t size) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::read(fd, data, size);
  }
  ssize_t write(int fd, const void* data, std::size_t size) override {
    if (!Fault::hits()) {
      return SystemCalls::write(fd, data, size);
    }
    if (Fault::error == 0 && size > 1) {  // a short write, and then the disk is full
      (void)SystemCalls::write(fd, data, size / 2);
      errno = ENOSPC;
      return -1;
    }
    return Fault::fail();
  }
  int fsync(int fd) override { return Fault::hits() ? Fault::fail() : SystemCalls::fsync(fd); }
  int fstat(int fd, struct stat* status) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::fstat(fd, status);
  }
  int stat(const char* path, struct stat* status) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::stat(path, status);
  }
  int link(const char* from, const char* to) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::link(from, to);
  }
  int rename(const char* from, const char* to) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::rename(from, to);
  }
  int mkdir(const char* path, mode_t mode) override {
    return Fault::hits() ? Fault::fail() : SystemCalls::mkdir(path, mode);
  }
};

ssize_t sqlite_pwrite(int fd, const void* data, std::size_t size, off_t at) {
  return Fault::hits() ? Fault::fail() : ::pwrite(fd, data, size, at);
}
ssize_t sqlite_write(int fd, const void* data, std::size_t size) {
  return Fault::hits() ? Fault::fail() : ::write(fd, data, size);
}
int sqlite_truncate(int fd, off_t size) {
  return Fault::hits() ? Fault::fail() : ::ftruncate(fd, size);
}

// SQLite's own calls, for as long as it lives.
class SqliteFaults {
 public:
  SqliteFaults() {
    set("pwrite", reinterpret_cast<sqlite3_syscall_ptr>(&sqlite_pwrite));
    set("pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(&sqlite_pwrite));
    set("write", reinterpret_cast<sqlite3_syscall_ptr>(&sqlite_write));
    set("ftruncate", reinterpret_cast<sqlite3_syscall_ptr>(&sqlite_truncate));
  }
  ~SqliteFaults() {
    for (const char* name : {"pwrite", "pwrite64", "write", "ftruncate"}) {
      set(name, nullptr);
    }
  }

 private:
  static void set(const char* name, sqlite3_syscall_ptr call) {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    (void)vfs->xSetSystemCall(vfs, name, call);
  }
};

struct PublishFaults : testing::TestWithParam<int> {
  TemporaryFolder folder;
};

// An fsync inside SQLite is an error code of its own layer; the journal's writes before it fail
// here.
TEST_P(PublishFaults, each_call_that_fails_leaves_all_or_nothing) {
  Store store({.folder = folder.path(), .calls = std::make_shared<Faulty>()});
  publish(store, "a", "first");
  const SqliteFaults faults;
  Fault::error = GetParam();
  std::int64_t last = 1;
  int failed = 0;
  for (int turn = 1;; ++turn) {
    const std::string bytes = "bytes " + std::to_string(turn);
    Fault::calls = 0;
    Fault::turn = turn;
    std::optional<VersionRow> made;
    try {
      made = publish(store, "a", bytes);
    } catch (const Error& error) {
      ++failed;
      EXPECT_FALSE(error.message().empty());
    }
    const bool is_past = Fault::calls < turn;
    Fault::turn = 0;
    const auto there = store.catalogue().version("a", last + 1);
    EXPECT_EQ(made.has_value(), there.has_value()) << "call " << turn;
    if (there) {
      ++last;
      store.verify(*there);
    }
    EXPECT_FALSE(store.catalogue().version("a", last + 1)) << "call " << turn;
    if (is_past) {
      break;
    }
    ASSERT_LT(turn, 1000);
  }
  EXPECT_GT(failed, 20);
  EXPECT_EQ(publish(store, "a", "after all").version, last + 1);
  const FsckReport report = fsck(store, false);
  EXPECT_TRUE(report.is_well()) << report.findings.front().message;
}

INSTANTIATE_TEST_SUITE_P(
    Errors, PublishFaults, testing::Values(EIO, ENOSPC, 0), [](const auto& told) {
      return told.param == 0 ? std::string("short_write")
                             : std::string(told.param == EIO ? "EIO" : "ENOSPC");
    });

}  // namespace
}  // namespace maas
