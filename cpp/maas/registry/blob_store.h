// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/guarded.h"
#include "maas/base/sha256.h"
#include "maas/registry/files.h"

namespace maas {

// Bytes that a store holds: their SHA-256 names them.
struct BlobRef {
  std::string digest;
  std::int64_t size = 0;
};

// A file under tmp/ that nobody else takes for abandoned while it is open. Removed by its
// destructor.
class TemporaryFile {
 public:
  TemporaryFile(const Files& files, const std::filesystem::path& folder);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  const Files& files_;
  std::filesystem::path path_;
  FileDescriptor fd_;
};

// Files named by the SHA-256 of their bytes, under blobs/sha256/ab/: written once, never changed.
// A blob is there whole or not at all, also after a power failure: temporary file, hash, fsync,
// link, fsync of the folder. Any thread may call it, and any number of processes.
class BlobStore {
 public:
  // REQUIRES: the files outlive it
  BlobStore(const Files& files, std::filesystem::path root);

  // In constant memory; the hash is made beside the copy.
  [[nodiscard]] BlobRef put_file(const std::filesystem::path& source);
  [[nodiscard]] BlobRef put(std::string_view bytes);

  [[nodiscard]] std::filesystem::path path_of(std::string_view digest) const;
  [[nodiscard]] bool has(std::string_view digest, std::int64_t size) const;
  // The bytes, if they are what their name says; throws internal otherwise.
  [[nodiscard]] std::string read(std::string_view digest, std::size_t limit) const;

  enum class Check : std::uint8_t { kCached, kFull };
  // What is wrong with a blob, nothing when it is well. A cached check reads a file again only when
  // it is another one than that which was found well.
  [[nodiscard]] std::optional<std::string> damage(const BlobRef& blob, Check check);

  // What is known to be well, to be kept across processes.
  [[nodiscard]] std::optional<FileStamp> known(std::string_view digest) const;
  void learn(const std::string& digest, const FileStamp& stamp);

  using Visit = std::function<void(const BlobRef&, const FileStamp&)>;
  void for_each(const Visit& visit) const;
  bool remove(std::string_view digest);

  [[nodiscard]] const Files& files() const noexcept { return files_; }
  [[nodiscard]] std::filesystem::path temporary_folder() const { return root_ / "tmp"; }

 private:
  friend class BlobWriter;
  void visit_file(const std::filesystem::path& path, const Visit& visit) const;
  // Makes a written file a blob; what is there already and is not damaged stays.
  BlobRef adopt(const TemporaryFile& file, BlobRef blob);
  void keep_young(const std::string& digest);

  const Files& files_;
  const std::filesystem::path root_;
  Guarded<std::map<std::string, FileStamp, std::less<>>> known_;
};

// A blob that comes piece by piece, as in an upload. One thread at a time.
class BlobWriter {
 public:
  explicit BlobWriter(BlobStore& store);
  void write(std::string_view bytes);
  // Throws unprocessable when `expected` is given and the bytes are others. REQUIRES: called once
  [[nodiscard]] BlobRef finish(std::string_view expected = {});

 private:
  BlobStore& store_;
  TemporaryFile file_;
  Sha256 hash_;
  std::int64_t size_ = 0;
};

}  // namespace maas
