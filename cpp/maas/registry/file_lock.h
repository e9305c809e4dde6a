// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "maas/base/file_descriptor.h"

namespace maas {

// A lock between processes and threads, on a file that stays. The system gives it back when its
// holder dies. Throws unavailable when it was not to be had in time.
class FileLock {
 public:
  enum class Kind : std::uint8_t { kShared, kExclusive };

  FileLock(const std::filesystem::path& file, Kind kind, std::chrono::milliseconds patience);

 private:
  FileDescriptor fd_;
};

// Whether somebody holds a lock on the file; false when there is no such file.
bool is_locked(const std::filesystem::path& file);

// Locks an open file for as long as it is open; false when another has it.
bool try_lock(int fd);

}  // namespace maas
