// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/store.h"

#include <optional>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "maas/base/error.h"
#include "maas/base/request_id.h"
#include "maas/registry/record.h"
#include "maas/registry/sqlite.h"
#include "maas/registry/sqlite_catalogue.h"

namespace maas {
namespace {

std::int64_t wall_clock_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string version_name(const VersionRow& row) {
  return "version " + std::to_string(row.version) + " of '" + row.name + "'";
}

bool has_entries(const std::filesystem::path& folder) {
  std::error_code missing;
  return !std::filesystem::is_empty(folder, missing) && !missing;
}

std::string listed(const std::map<std::string, std::int64_t>& aliases) {
  std::string text;
  for (const auto& [alias, version] : aliases) {
    text += (text.empty() ? "" : ", ") + alias;
  }
  return text.empty() ? "none" : text;
}

}  // namespace

StoreOptions prepared(StoreOptions options) {
  if (!options.now_ms) {
    options.now_ms = &wall_clock_ms;
  }
  const StorePaths paths{options.folder};
  std::error_code missing;
  const bool is_there = std::filesystem::exists(options.folder, missing);
  if (is_there && ::access(options.folder.c_str(), W_OK) != 0) {
    options.read_only = true;
  }
  if (!options.create && !std::filesystem::exists(paths.catalogue(), missing) &&
      !has_entries(paths.records())) {
    throw Error(ErrorCode::kNotFound, "there is no store in '" + options.folder.string() +
                                          "'; `maas models add NAME PATH` makes one");
  }
  if (!options.read_only) {
    const Files files(options.calls);
    for (const std::filesystem::path& folder :
         {options.folder / "blobs" / "sha256", options.folder / "tmp", paths.records(),
          paths.leases()}) {
      files.make_folder(folder);
    }
  }
  return options;
}

std::unique_ptr<Catalogue> open_catalogue(const StoreOptions& options) {
  const StorePaths paths{options.folder};
  const auto keep_copy = [paths, now = options.now_ms](int from) {
    std::filesystem::create_directories(paths.backups());
    const std::string name =
        "catalogue-schema-" + std::to_string(from) + "-" + std::to_string(now()) + ".db";
    const Database database(paths.catalogue(), Database::Mode::kReadOnly);
    database.copy_to(paths.backups() / name);
  };
  const auto check_empty = [paths] {
    if (has_entries(paths.records())) {
      throw Error(ErrorCode::kInternal,
                  "the store in '" + paths.folder.string() +
                      "' has versions but no catalogue; `maas models recover` makes it again");
    }
  };
  return open_sqlite_catalogue({.file = paths.catalogue(),
                                .read_only = options.read_only,
                                .now_ms = options.now_ms,
                                .before_migration = keep_copy,
                                .before_creation = check_empty});
}

Store::Store(StoreOptions options)
    : options_(prepared(std::move(options))),
      paths_{options_.folder},
      files_(options_.calls),
      blobs_(files_, options_.folder) {
  if (options_.read_only) {
    catalogue_ = open_catalogue(options_);
    return;
  }
  // None is made, or made again, while somebody else does.
  std::optional<FileLock> held;
  if (std::error_code missing; !std::filesystem::exists(paths_.catalogue(), missing)) {
    held.emplace(lock());
  }
  catalogue_ = open_catalogue(options_);
}

FileLock Store::lock() const {
  if (options_.read_only) {
    throw Error(ErrorCode::kForbidden,
                "the store in '" + paths_.folder.string() + "' is read-only: it cannot be changed");
  }
  return {paths_.lock(), FileLock::Kind::kExclusive, options_.patience};
}

FileLock Store::lock_collection(FileLock::Kind kind) const {
  return {paths_.collection_lock(), kind, options_.patience};
}

VersionRow Store::publish(const Publication& made, const Actor& actor) {
  check_registry_name(made.name);
  if (made.state == VersionState::kDeleted) {
    throw Error(ErrorCode::kInvalidArgument, "a version is published as READY or FAILED");
  }
  const Manifest manifest = Manifest::parse(made.manifest);
  if (options_.read_only) {
    (void)lock();
  }
  const std::string text = manifest.to_json();
  if (text.size() > kLongestManifest) {
    throw Error(ErrorCode::kTooLarge, "the manifest has more than 16 MiB");
  }
  const BlobRef manifest_blob = blobs_.put(text);
  NewVersion version;
  version.row = {.name = made.name,
                 .digest = manifest_blob.digest,
                 .state = made.state,
                 .reason = made.reason,
                 .runtime = manifest.runtime,
                 .description = manifest.description,
                 .author = manifest.author,
                 .created_ms = manifest.created_ms,
                 .tags = manifest.tags,
                 .metrics = manifest.metrics};
  for (const FileEntry& file : manifest.files) {
    version.row.size += file.blob.size;
  }
  version.blobs = manifest.needed();
  version.blobs.push_back({"(manifest)", manifest_blob});
  for (const FileEntry& file : version.blobs) {
    if (const auto stamp = blobs_.known(file.blob.digest)) {
      version.stamps.emplace(file.blob.digest, *stamp);
    }
  }
  const FileLock held = lock();
  return catalogue_->publish(version, actor, [&](const auto& model, const auto& row) {
    // Collection holds the same lock, so that what is there now stays.
    require_blobs(version);
    write_records(model, row);
  });
}

void Store::require_blobs(const NewVersion& made) const {
  for (const FileEntry& file : made.blobs) {
    if (!blobs_.has(file.blob.digest, file.blob.size)) {
      throw Error(ErrorCode::kUnprocessable, "the store has no blob " + file.blob.digest + " of " +
                                                 std::to_string(file.blob.size) + " bytes for '" +
                                                 file.path +
                                                 "'; put its bytes into the store first");
    }
  }
}

void Store::write_record(const ModelRow& model) const {
  files_.make_folder(paths_.records() / model.name);
  files_.replace(paths_.record(model.name), model_record(model),
                 blobs_.temporary_folder() / ("record-" + std::string(RequestId::next().text())));
}

void Store::write_record(const VersionRow& row) const {
  files_.make_folder(paths_.records() / row.name);
  files_.replace(paths_.record(row.name, row.version), version_record(row),
                 blobs_.temporary_folder() / ("record-" + std::string(RequestId::next().text())));
}

void Store::write_records(const ModelRow& model, const std::optional<VersionRow>& row) const {
  if (row && row->state != VersionState::kDeleted) {
    write_record(*row);
  }
  write_record(model);
}

AliasMove Store::move_alias(const AliasRequest& request, const Actor& actor) {
  check_registry_name(request.name);
  check_alias(request.alias);
  const FileLock held = lock();
  return catalogue_->move_alias(request, actor,
                                [&](const auto& model, const auto&) { write_record(model); });
}

AliasMove Store::roll_back(const AliasRequest& request, const Actor& actor) {
  check_registry_name(request.name);
  check_alias(request.alias);
  const FileLock held = lock();
  return catalogue_->roll_back(request, actor,
                               [&](const auto& model, const auto&) { write_record(model); });
}

VersionRow Store::remove(const std::string& name, std::int64_t version, const Actor& actor) {
  check_registry_name(name);
  const FileLock held = lock();
  if (is_leased(paths_.leases(), name, version)) {
    throw Error(ErrorCode::kConflict, "version " + std::to_string(version) + " of '" + name +
                                          "' is served; stop serving it first");
  }
  const VersionRow row = catalogue_->remove(
      name, version, actor, [&](const auto& model, const auto&) { write_record(model); });
  try {
    (void)files_.remove(paths_.record(name, version));
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): it is deleted; gc removes the record
  }
  return row;
}

void Store::annotate(const Annotation& annotation, const Actor& actor) {
  check_registry_name(annotation.name);
  for (const auto& [key, value] : annotation.set) {
    check_tag(key, value);
  }
  if (annotation.description) {
    check_description(*annotation.description);
  }
  const FileLock held = lock();
  catalogue_->annotate(annotation, actor,
                       [&](const auto& model, const auto& row) { write_records(model, row); });
}

VersionRow Store::find(const ModelReference& reference) {
  const auto model = catalogue_->model(reference.name);
  if (!model) {
    throw Error(ErrorCode::kNotFound, "there is no model '" + reference.name + "'");
  }
  std::int64_t version = reference.version.value_or(0);
  if (!reference.version) {
    const std::string alias = reference.alias.empty() ? std::string(kChampion) : reference.alias;
    const auto found = model->aliases.find(alias);
    if (found != model->aliases.end()) {
      version = found->second;
    } else if (reference.alias.empty() || reference.alias == kLatest) {
      version = model->latest;
    } else {
      throw Error(ErrorCode::kNotFound, "'" + model->name + "' has no alias '" + alias +
                                            "'; it has: " + listed(model->aliases));
    }
    if (version == 0) {
      throw Error(ErrorCode::kNotFound, "'" + model->name + "' has no version that is ready");
    }
  }
  auto row = catalogue_->version(reference.name, version);
  if (!row || row->state == VersionState::kDeleted) {
    throw Error(ErrorCode::kNotFound, "there is no version " + std::to_string(version) + " of '" +
                                          model->name + "'" + (row ? " any more" : ""));
  }
  return std::move(*row);
}

std::string Store::manifest(const VersionRow& row) const {
  return blobs_.read(row.digest, kLongestManifest);
}

std::optional<std::string> Store::damage(const VersionRow& row, BlobStore::Check check) {
  for (const FileEntry& file : catalogue_->blobs_of(row.name, row.version)) {
    const bool ask = check == BlobStore::Check::kCached && !blobs_.known(file.blob.digest);
    if (const auto stamp = ask ? catalogue_->stamp_of(file.blob.digest) : std::nullopt) {
      blobs_.learn(file.blob.digest, *stamp);
    }
    if (const auto found = blobs_.damage(file.blob, check)) {
      return "file '" + file.path + "': " + *found;
    }
  }
  return std::nullopt;
}

void Store::verify(const VersionRow& row) {
  const auto found = damage(row, BlobStore::Check::kCached);
  if (!options_.read_only && found.value_or("") != row.damage) {
    const FileLock held = lock();
    catalogue_->note_damage(row.name, row.version, found.value_or(""));
  }
  if (found) {
    throw Error(ErrorCode::kInternal,
                version_name(row) + " is damaged: " + *found + "; add the file again to repair it");
  }
}

Lease Store::lease(const std::string& name, std::int64_t version) {
  check_registry_name(name);
  std::optional<FileLock> held;
  if (!options_.read_only) {
    held.emplace(lock());
  }
  const VersionRow row = find({.name = name, .version = version});
  if (row.state != VersionState::kReady) {
    throw Error(ErrorCode::kConflict, version_name(row) + " is not ready: " + row.reason);
  }
  if (options_.read_only) {
    return {};
  }
  return {paths_.leases(), name, version};
}

}  // namespace maas
