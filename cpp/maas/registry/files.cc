// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/files.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>

namespace maas {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kFolderMode = 0755;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp stamp_of(const struct stat& status) {
  return {.inode = status.st_ino,
          .size = status.st_size,
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim)};
}

template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

}  // namespace

Error file_error(std::string_view doing, const std::filesystem::path& path, int error_number) {
  const std::string what = "cannot " + std::string(doing) + " '" + path.string() + "': ";
  const std::string why = std::generic_category().message(error_number);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return Error(ErrorCode::kUnavailable, what + "the disk is full; free some space, try again")
          .with_http_status(507);
    case EROFS:
    case EACCES:
    case EPERM: return {ErrorCode::kForbidden, what + why};
    case ENOENT: return {ErrorCode::kNotFound, what + "there is no such file"};
    case EISDIR: return {ErrorCode::kInvalidArgument, what + "it is a folder"};
    default: return {ErrorCode::kInternal, what + why};
  }
}

FileDescriptor Files::open_to_read(const Path& path) const {
  FileDescriptor fd(uninterrupted([&] { return calls_->open(path.c_str(), O_RDONLY, 0); }));
  if (!fd.is_open()) {
    throw file_error("read", path, errno);
  }
  return fd;
}

FileDescriptor Files::create_new(const Path& path) const {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL;
  FileDescriptor fd(uninterrupted([&] { return calls_->open(path.c_str(), kFlags, kFileMode); }));
  if (!fd.is_open()) {
    throw file_error("create", path, errno);
  }
  return fd;
}

std::size_t Files::read(int fd, std::span<char> into, const Path& path) const {
  const ssize_t got = uninterrupted([&] { return calls_->read(fd, into.data(), into.size()); });
  if (got < 0) {
    throw file_error("read", path, errno);
  }
  return static_cast<std::size_t>(got);
}

void Files::write(int fd, std::string_view bytes, const Path& path) const {
  while (!bytes.empty()) {
    const ssize_t done =
        uninterrupted([&] { return calls_->write(fd, bytes.data(), bytes.size()); });
    if (done < 0) {
      throw file_error("write", path, errno);
    }
    if (done == 0) {
      throw file_error("write", path, EIO);
    }
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

void Files::sync(int fd, const Path& path) const {
  // Never again after a failure: the system may have dropped the bytes and then says it is well.
  if (calls_->fsync(fd) != 0) {
    throw file_error("flush to disk", path, errno);
  }
}

void Files::sync_folder(const Path& folder) const {
  const FileDescriptor fd(
      uninterrupted([&] { return calls_->open(folder.c_str(), O_RDONLY | O_DIRECTORY, 0); }));
  if (!fd.is_open()) {
    throw file_error("open", folder, errno);
  }
  sync(fd.get(), folder);
}

bool Files::link_new(const Path& from, const Path& to) const {
  if (calls_->link(from.c_str(), to.c_str()) == 0) {
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  throw file_error("create", to, errno);
}

void Files::rename(const Path& from, const Path& to) const {
  if (calls_->rename(from.c_str(), to.c_str()) != 0) {
    throw file_error("replace", to, errno);
  }
}

bool Files::remove(const Path& path) const {
  if (calls_->unlink(path.c_str()) == 0) {
    return true;
  }
  if (errno == ENOENT) {
    return false;
  }
  throw file_error("remove", path, errno);
}

void Files::make_folder(const Path& path) const {
  struct stat status{};
  if (calls_->stat(path.c_str(), &status) == 0) {
    if (!S_ISDIR(status.st_mode)) {
      throw Error(ErrorCode::kInvalidArgument, "'" + path.string() + "' is not a folder");
    }
    return;
  }
  const Path parent = path.parent_path();
  if (!parent.empty() && parent != path) {
    make_folder(parent);
  }
  if (calls_->mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    throw file_error("create", path, errno);
  }
  sync_folder(parent.empty() ? Path(".") : parent);
}

std::optional<FileStamp> Files::stamp(const Path& path) const {
  struct stat status{};
  if (calls_->stat(path.c_str(), &status) == 0) {
    return stamp_of(status);
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return std::nullopt;
  }
  throw file_error("look at", path, errno);
}

FileStamp Files::stamp(int fd, const Path& path) const {
  struct stat status{};
  if (calls_->fstat(fd, &status) != 0) {
    throw file_error("look at", path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    throw file_error("read", path, EISDIR);
  }
  return stamp_of(status);
}

std::optional<std::string> Files::read_whole(const Path& path, std::size_t limit) const {
  if (!stamp(path)) {
    return std::nullopt;
  }
  const FileDescriptor fd = open_to_read(path);
  std::string text(static_cast<std::size_t>(stamp(fd.get(), path).size) + 1, '\0');
  std::size_t have = 0;
  while (have <= limit) {
    const std::size_t got = read(fd.get(), std::span(text).subspan(have), path);
    have += got;
    if (got == 0) {
      text.resize(have);
      return text;
    }
    if (have == text.size()) {
      text.resize(2 * text.size());
    }
  }
  throw Error(ErrorCode::kTooLarge, "'" + path.string() + "' is longer than such a file can be");
}

void Files::replace(const Path& path, std::string_view text, const Path& temporary) const {
  try {
    const FileDescriptor fd = create_new(temporary);
    write(fd.get(), text, temporary);
    sync(fd.get(), temporary);
    rename(temporary, path);
  } catch (const Error&) {
    calls_->unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

}  // namespace maas
