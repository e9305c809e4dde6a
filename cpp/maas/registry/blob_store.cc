// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/blob_store.h"

#include <array>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "maas/base/request_id.h"
#include "maas/registry/background_hash.h"
#include "maas/registry/file_lock.h"

namespace maas {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

std::string hash_file(const Files& files, const std::filesystem::path& path, std::int64_t* size) {
  const FileDescriptor fd = files.open_to_read(path);
  Sha256 hash;
  std::vector<char> piece(kPiece);
  *size = 0;
  while (const std::size_t got = files.read(fd.get(), piece, path)) {
    hash.update(piece.data(), got);
    *size += static_cast<std::int64_t>(got);
  }
  return hash.finish();
}

// Two buffers: one is hashed while the other is filled.
BlobRef copy_large(const Files& files,
                   int from,
                   const std::filesystem::path& source,
                   const TemporaryFile& to) {
  std::array<std::vector<char>, 2> buffers = {std::vector<char>(kPiece), std::vector<char>(kPiece)};
  BackgroundHash hash;
  BlobRef blob;
  for (std::size_t turn = 0;; turn ^= 1U) {
    std::vector<char>& buffer = buffers[turn];
    const std::size_t got = files.read(from, buffer, source);
    if (got == 0) {
      blob.digest = hash.finish();
      return blob;
    }
    hash.update({buffer.data(), got});
    files.write(to.fd(), {buffer.data(), got}, to.path());
    // The disk begins now, so that the flush at the end has less left to wait for.
    ::sync_file_range(to.fd(), blob.size, static_cast<off64_t>(got), SYNC_FILE_RANGE_WRITE);
    blob.size += static_cast<std::int64_t>(got);
  }
}

}  // namespace

TemporaryFile::TemporaryFile(const Files& files, const std::filesystem::path& folder)
    : files_(files),
      path_(folder / (std::to_string(::getpid()) + "-" + std::string(RequestId::next().text()))),
      fd_(files.create_new(path_)) {
  (void)try_lock(fd_.get());  // nobody else can have it yet
}

TemporaryFile::~TemporaryFile() {
  try {
    (void)files_.remove(path_);
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): gc removes what stays
  }
}

BlobStore::BlobStore(const Files& files, std::filesystem::path root)
    : files_(files), root_(std::move(root)) {}

BlobRef BlobStore::put_file(const std::filesystem::path& source) {
  const FileDescriptor from = files_.open_to_read(source);
  if (files_.stamp(from.get(), source).size > static_cast<std::int64_t>(kPiece)) {
    const TemporaryFile file(files_, temporary_folder());
    return adopt(file, copy_large(files_, from.get(), source, file));
  }
  BlobWriter writer(*this);
  std::vector<char> piece(kPiece);
  while (const std::size_t got = files_.read(from.get(), piece, source)) {
    writer.write({piece.data(), got});
  }
  return writer.finish();
}

BlobRef BlobStore::put(std::string_view bytes) {
  BlobWriter writer(*this);
  writer.write(bytes);
  return writer.finish();
}

BlobRef BlobStore::adopt(const TemporaryFile& file, BlobRef blob) {
  files_.sync(file.fd(), file.path());
  const std::filesystem::path path = path_of(blob.digest);
  files_.make_folder(path.parent_path());
  if (!files_.link_new(file.path(), path)) {
    if (!damage(blob, Check::kCached)) {
      keep_young(blob.digest);
      files_.sync_folder(path.parent_path());
      return blob;
    }
    // What is there is damaged: these are the bytes that belong there.
    const std::filesystem::path second = file.path().string() + ".link";
    if (!files_.link_new(file.path(), second)) {
      throw Error(ErrorCode::kInternal, "'" + second.string() + "' is there already");
    }
    files_.rename(second, path);
  }
  files_.sync_folder(path.parent_path());
  // By the open file: the same inode, whose change time its second name has set.
  ::fchmod(file.fd(), 0444);
  (void)files_.remove(file.path());
  learn(blob.digest, files_.stamp(file.fd(), file.path()));
  return blob;
}

void BlobStore::keep_young(const std::string& digest) {
  const std::filesystem::path path = path_of(digest);
  // Collection spares what is young: so is a blob that a version is about to name.
  (void)::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  if (const auto stamp = files_.stamp(path)) {
    learn(digest, *stamp);
  }
}

std::filesystem::path BlobStore::path_of(std::string_view digest) const {
  if (!is_sha256(digest)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + std::string(digest.substr(0, 100)) + "' is not a SHA-256 in hex");
  }
  return root_ / "blobs" / "sha256" / std::string(digest.substr(0, 2)) / std::string(digest);
}

bool BlobStore::has(std::string_view digest, std::int64_t size) const {
  const auto stamp = files_.stamp(path_of(digest));
  return stamp && stamp->size == size;
}

std::string BlobStore::read(std::string_view digest, std::size_t limit) const {
  const auto bytes = files_.read_whole(path_of(digest), limit);
  if (!bytes) {
    throw Error(ErrorCode::kInternal, "blob " + std::string(digest) + " is missing");
  }
  if (sha256(*bytes) != digest) {
    throw Error(ErrorCode::kInternal,
                "blob " + std::string(digest) + " is damaged: its bytes are not those of its name");
  }
  return *bytes;
}

std::optional<std::string> BlobStore::damage(const BlobRef& blob, Check check) {
  const std::filesystem::path path = path_of(blob.digest);
  const auto stamp = files_.stamp(path);
  if (!stamp) {
    return "blob " + blob.digest + " is missing";
  }
  if (stamp->size != blob.size) {
    return "blob " + blob.digest + " has " + std::to_string(stamp->size) + " bytes instead of " +
           std::to_string(blob.size);
  }
  if (check == Check::kCached && known(blob.digest) == stamp) {
    return std::nullopt;
  }
  std::int64_t size = 0;
  if (hash_file(files_, path, &size) != blob.digest) {
    return "blob " + blob.digest + " is damaged: its bytes are not those of its name";
  }
  learn(blob.digest, *stamp);
  return std::nullopt;
}

std::optional<FileStamp> BlobStore::known(std::string_view digest) const {
  return known_.with([&](const auto& stamps) -> std::optional<FileStamp> {
    const auto found = stamps.find(digest);
    return found == stamps.end() ? std::nullopt : std::optional(found->second);
  });
}

void BlobStore::learn(const std::string& digest, const FileStamp& stamp) {
  known_.with([&](auto& stamps) { stamps.insert_or_assign(digest, stamp); });
}

void BlobStore::for_each(const Visit& visit) const {
  std::error_code missing;
  for (const auto& folder :
       std::filesystem::directory_iterator(root_ / "blobs" / "sha256", missing)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path(), missing)) {
      visit_file(entry.path(), visit);
    }
  }
}

void BlobStore::visit_file(const std::filesystem::path& path, const Visit& visit) const {
  const std::string digest = path.filename();
  const auto stamp = files_.stamp(path);
  if (stamp && is_sha256(digest)) {
    visit({digest, stamp->size}, *stamp);
  }
}

bool BlobStore::remove(std::string_view digest) {
  known_.with([&](auto& stamps) { stamps.erase(std::string(digest)); });
  return files_.remove(path_of(digest));
}

BlobWriter::BlobWriter(BlobStore& store)
    : store_(store), file_(store.files_, store.temporary_folder()) {}

void BlobWriter::write(std::string_view bytes) {
  hash_.update(bytes.data(), bytes.size());
  store_.files_.write(file_.fd(), bytes, file_.path());
  size_ += static_cast<std::int64_t>(bytes.size());
}

BlobRef BlobWriter::finish(std::string_view expected) {
  BlobRef blob{hash_.finish(), size_};
  if (!expected.empty() && blob.digest != expected) {
    throw Error(ErrorCode::kUnprocessable, "the bytes that came have the SHA-256 " + blob.digest +
                                               ", not " + std::string(expected));
  }
  return store_.adopt(file_, std::move(blob));
}

}  // namespace maas
