// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "maas/base/file_descriptor.h"

namespace maas {

// Memory that two processes see, known only by its descriptor: it has no name that could be guessed
// or left behind, and it is gone with its last user. Neither side can shrink it, so that no access
// to its bytes can fail; what they hold may change at any time. Any thread may use it.
class SharedMemory {
 public:
  // Of at least `size` bytes. Throws overloaded when there is no memory.
  static std::shared_ptr<SharedMemory> create(std::size_t size);
  // What another process made; throws invalid_argument unless it is `size` bytes that cannot
  // shrink.
  static std::shared_ptr<SharedMemory> adopt(FileDescriptor fd, std::size_t size);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  // To hand it to another process; -1 once that is done.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  // It was handed over: the memory stays, the descriptor is no longer held. One thread calls it.
  void close_descriptor() noexcept { fd_.close(); }

  // More than this is given back after each use: one large batch is no reason to hold it for ever.
  static constexpr std::size_t kMostKept = std::size_t{16} << 20U;

 private:
  SharedMemory(FileDescriptor fd, std::size_t size);

  FileDescriptor fd_;
  std::byte* data_ = nullptr;
  std::size_t size_;
};

}  // namespace maas
