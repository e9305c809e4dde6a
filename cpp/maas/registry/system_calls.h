// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <sys/stat.h>
#include <sys/types.h>

namespace maas {

// The system calls by which a store touches its files, as POSIX has them: -1 and errno. Virtual, so
// that a test can make each of them fail in turn. Any thread may call it.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual ssize_t read(int fd, void* data, std::size_t size);
  virtual ssize_t write(int fd, const void* data, std::size_t size);
  virtual int fsync(int fd);
  virtual int fstat(int fd, struct stat* status);
  virtual int stat(const char* path, struct stat* status);
  virtual int link(const char* from, const char* to);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
};

}  // namespace maas
