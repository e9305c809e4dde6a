// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/system_calls.h"

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace maas {

int SystemCalls::open(const char* path, int flags, mode_t mode) {
  return ::open(path, flags | O_CLOEXEC, mode);
}
ssize_t SystemCalls::read(int fd, void* data, std::size_t size) {
  return ::read(fd, data, size);
}
ssize_t SystemCalls::write(int fd, const void* data, std::size_t size) {
  return ::write(fd, data, size);
}
int SystemCalls::fsync(int fd) {
  return ::fsync(fd);
}
int SystemCalls::fstat(int fd, struct stat* status) {
  return ::fstat(fd, status);
}
int SystemCalls::stat(const char* path, struct stat* status) {
  return ::stat(path, status);
}
int SystemCalls::link(const char* from, const char* to) {
  return ::link(from, to);
}
int SystemCalls::rename(const char* from, const char* to) {
  return std::rename(from, to);
}
int SystemCalls::unlink(const char* path) {
  return ::unlink(path);
}
int SystemCalls::mkdir(const char* path, mode_t mode) {
  return ::mkdir(path, mode);
}

}  // namespace maas
