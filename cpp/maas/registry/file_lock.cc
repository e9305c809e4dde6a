// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/file_lock.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "maas/base/error.h"
#include "maas/registry/files.h"

namespace maas {

FileLock::FileLock(const std::filesystem::path& file, Kind kind, std::chrono::milliseconds patience)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (!fd_.is_open()) {
    throw file_error("open", file, errno);
  }
  const int operation = kind == Kind::kShared ? LOCK_SH : LOCK_EX;
  const auto until = std::chrono::steady_clock::now() + patience;
  std::chrono::microseconds pause(500);
  while (::flock(fd_.get(), operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw file_error("lock", file, errno);
    }
    if (std::chrono::steady_clock::now() >= until) {
      throw Error(ErrorCode::kUnavailable, "another process has held '" + file.string() + "' for " +
                                               std::to_string(patience.count() / 1000) +
                                               " s; try again when it is done");
    }
    // flock() has no time-out, and a process that waits in it for ever cannot be told to stop.
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(8000));
  }
}

bool is_locked(const std::filesystem::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return fd.is_open() && !try_lock(fd.get());
}

bool try_lock(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace maas
