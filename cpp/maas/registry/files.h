// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/file_descriptor.h"
#include "maas/registry/system_calls.h"

namespace maas {

// What changes when a file's bytes do: nobody can set the change time.
struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

// The Error of a failed system call: 507 where the disk is full, forbidden where nobody may write.
Error file_error(std::string_view doing, const std::filesystem::path& path, int error_number);

// System calls that whole or not at all do what they say: they go on after a signal or a short
// write, and throw Error otherwise. Any thread may call it.
class Files {
 public:
  using Path = std::filesystem::path;

  explicit Files(std::shared_ptr<SystemCalls> calls) : calls_(std::move(calls)) {}

  [[nodiscard]] FileDescriptor open_to_read(const Path& path) const;
  [[nodiscard]] FileDescriptor create_new(const Path& path) const;
  // 0 at the end.
  [[nodiscard]] std::size_t read(int fd, std::span<char> into, const Path& path) const;
  void write(int fd, std::string_view bytes, const Path& path) const;
  void sync(int fd, const Path& path) const;
  void sync_folder(const Path& folder) const;
  // False when there is such a file already.
  [[nodiscard]] bool link_new(const Path& from, const Path& to) const;
  void rename(const Path& from, const Path& to) const;
  // False when there was none.
  [[nodiscard]] bool remove(const Path& path) const;
  // With those above it; durable.
  void make_folder(const Path& path) const;

  // Nothing when there is no such file.
  [[nodiscard]] std::optional<FileStamp> stamp(const Path& path) const;
  [[nodiscard]] FileStamp stamp(int fd, const Path& path) const;
  // Nothing when there is no such file; an error when it is longer than `limit`.
  [[nodiscard]] std::optional<std::string> read_whole(const Path& path, std::size_t limit) const;
  // The file is the old or the new text, also after a power failure. `temporary` is on the same
  // disk and belongs to the caller.
  void replace(const Path& path, std::string_view text, const Path& temporary) const;

 private:
  std::shared_ptr<SystemCalls> calls_;
};

}  // namespace maas
