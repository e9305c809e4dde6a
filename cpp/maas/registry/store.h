// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "maas/registry/blob_store.h"
#include "maas/registry/catalogue.h"
#include "maas/registry/file_lock.h"
#include "maas/registry/lease.h"
#include "maas/registry/names.h"

namespace maas {

struct StoreOptions {
  std::filesystem::path folder{};
  bool read_only = false;  // so is one on a disk that nobody may write to
  bool create = true;      // when there is none
  std::shared_ptr<SystemCalls> calls = std::make_shared<SystemCalls>();
  std::function<std::int64_t()> now_ms{};                        // the wall clock unless given
  std::chrono::milliseconds patience = std::chrono::minutes(2);  // with who else writes
};

struct Publication {
  std::string name{};
  std::string manifest{};  // JSON, as docs/formats/manifest.md says; its blobs are in the store
  VersionState state = VersionState::kReady;
  std::string reason{};  // why it is not ready
};

// The alias that serves where none is named, and that `promote` moves.
inline constexpr std::string_view kChampion = "champion";

// Where the pieces of a store lie.
struct StorePaths {
  std::filesystem::path folder{};
  [[nodiscard]] std::filesystem::path catalogue() const { return folder / "catalogue.db"; }
  [[nodiscard]] std::filesystem::path lock() const { return folder / "lock"; }
  // Who collects has it alone; who needs that nothing is collected shares it.
  [[nodiscard]] std::filesystem::path collection_lock() const { return folder / "collecting"; }
  [[nodiscard]] std::filesystem::path records() const { return folder / "versions"; }
  [[nodiscard]] std::filesystem::path record(const std::string& name, std::int64_t version) const {
    return records() / name / (std::to_string(version) + ".json");
  }
  [[nodiscard]] std::filesystem::path record(const std::string& name) const {
    return records() / name / "model.json";
  }
  [[nodiscard]] std::filesystem::path leases() const { return folder / "leases"; }
  [[nodiscard]] std::filesystem::path backups() const { return folder / "backups"; }
};

// A model registry in a folder: bytes (BlobStore), what is known of them (Catalogue), and on disk a
// record of each version, so that the catalogue can be made again. Any thread may call it, and any
// number of processes may have the folder open. A change is there for good when its call returns;
// one that throws, or whose process dies, has happened whole or not at all.
class Store {
 public:
  // Throws not_found when there is none to open, forbidden, or what is wrong with its catalogue.
  explicit Store(StoreOptions options);

  VersionRow publish(const Publication& made, const Actor& actor);
  AliasMove move_alias(const AliasRequest& request, const Actor& actor);
  AliasMove roll_back(const AliasRequest& request, const Actor& actor);
  // Throws conflict for a version that an alias is at, or that is served.
  VersionRow remove(const std::string& name, std::int64_t version, const Actor& actor);
  void annotate(const Annotation& annotation, const Actor& actor);

  // The version that a reference names: without a number or an alias that of `champion`, or else
  // the newest that is ready. Throws not_found that says what there is.
  [[nodiscard]] VersionRow find(const ModelReference& reference);
  // Its text, checked against its digest.
  [[nodiscard]] std::string manifest(const VersionRow& row) const;
  // Throws internal that names the file when any of its bytes are not what was published. A file
  // that was found well is read again only when it has changed.
  void verify(const VersionRow& row);
  // What verify() would say; nothing when all is well.
  [[nodiscard]] std::optional<std::string> damage(const VersionRow& row, BlobStore::Check check);
  // Of a version that is ready and not damaged; throws otherwise.
  [[nodiscard]] Lease lease(const std::string& name, std::int64_t version);

  [[nodiscard]] BlobStore& blobs() noexcept { return blobs_; }
  [[nodiscard]] Catalogue& catalogue() noexcept { return *catalogue_; }
  [[nodiscard]] const StorePaths& paths() const noexcept { return paths_; }
  [[nodiscard]] const Files& files() const noexcept { return files_; }
  [[nodiscard]] bool is_read_only() const noexcept { return options_.read_only; }
  [[nodiscard]] std::int64_t now_ms() const { return options_.now_ms(); }
  // Held while anything changes. Throws forbidden for a read-only store.
  [[nodiscard]] FileLock lock() const;
  // Taken before lock(), when both are.
  [[nodiscard]] FileLock lock_collection(FileLock::Kind kind) const;

  // What is on disk of a model, as the catalogue has it.
  void write_record(const ModelRow& model) const;
  void write_record(const VersionRow& row) const;

 private:
  void write_records(const ModelRow& model, const std::optional<VersionRow>& row) const;
  void require_blobs(const NewVersion& made) const;

  StoreOptions options_;
  const StorePaths paths_;
  const Files files_;
  BlobStore blobs_;
  std::unique_ptr<Catalogue> catalogue_;
};

// The catalogue in a store's folder. Its options apply; `create` must be true to make one.
std::unique_ptr<Catalogue> open_catalogue(const StoreOptions& options);

// The options with every default filled in, on a folder that has all of its own folders, unless it
// is read-only.
StoreOptions prepared(StoreOptions options);

inline constexpr std::size_t kLongestManifest = std::size_t{16} << 20U;

}  // namespace maas
