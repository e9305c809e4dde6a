// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/shared_memory.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr std::size_t kLeast = std::size_t{64} << 10U;
constexpr std::size_t kMost = std::size_t{1} << 40U;

Error no_memory(std::size_t size) {
  return {ErrorCode::kOverloaded, "no shared memory of " + std::to_string(size) +
                                      " bytes: " + std::generic_category().message(errno)};
}

}  // namespace

SharedMemory::SharedMemory(FileDescriptor fd, std::size_t size) : fd_(std::move(fd)), size_(size) {
  void* data = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (data == MAP_FAILED) {
    throw no_memory(size_);
  }
  data_ = static_cast<std::byte*>(data);
}

SharedMemory::~SharedMemory() {
  ::munmap(data_, size_);
}

std::shared_ptr<SharedMemory> SharedMemory::create(std::size_t size) {
  if (size > kMost) {
    errno = ENOMEM;
    throw no_memory(size);
  }
  const std::size_t whole = std::bit_ceil(std::max(size, kLeast));
  FileDescriptor fd(::memfd_create("maas-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Allocated now: a page that could not be had later would end the process that touched it.
  if (!fd.is_open() || ::fallocate(fd.get(), 0, 0, static_cast<off_t>(whole)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw no_memory(whole);
  }
  return std::shared_ptr<SharedMemory>(new SharedMemory(std::move(fd), whole));
}

std::shared_ptr<SharedMemory> SharedMemory::adopt(FileDescriptor fd, std::size_t size) {
  struct stat about{};
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(fd.get(), &about) != 0 || size == 0 ||
      about.st_size < 0 || static_cast<std::uint64_t>(about.st_size) != size) {
    throw Error(ErrorCode::kInvalidArgument,
                "the other process sent memory that is not of the size it says, or may shrink");
  }
  std::shared_ptr<SharedMemory> adopted(new SharedMemory(std::move(fd), size));
  adopted->close_descriptor();
  return adopted;
}

}  // namespace maas
