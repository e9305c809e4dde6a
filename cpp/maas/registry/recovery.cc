// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/recovery.h"

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/request_id.h"
#include "maas/registry/record.h"
#include "maas/registry/salvage.h"
#include "maas/registry/sqlite_catalogue.h"

namespace maas {
namespace {

constexpr std::size_t kLongestRecord = std::size_t{64} << 20U;
constexpr std::size_t kPage = 500;

class Recovery {
 public:
  explicit Recovery(const StoreOptions& options)
      : options_(options),
        paths_{options.folder},
        files_(options.calls),
        blobs_(files_, options.folder) {}

  RecoverReport run(const Actor& actor) {
    const FileLock held(paths_.lock(), FileLock::Kind::kExclusive, options_.patience);
    read_records();
    const std::filesystem::path made = paths_.folder / "catalogue.new.db";
    for (const char* suffix : {"", "-journal"}) {
      (void)files_.remove(made.string() + suffix);
    }
    fill(made, actor);
    keep_old();
    files_.rename(made, paths_.catalogue());
    (void)files_.remove(made.string() + "-journal");
    files_.sync_folder(paths_.folder);
    write_changed_records();
    report_.models = static_cast<std::int64_t>(models_.size());
    report_.versions = static_cast<std::int64_t>(versions_.size());
    return std::move(report_);
  }

 private:
  void fill(const std::filesystem::path& file, const Actor& actor) {
    const auto catalogue = open_sqlite_catalogue({.file = file,
                                                  .now_ms = options_.now_ms,
                                                  .before_migration = [](int) {},
                                                  .before_creation = [] {}});
    std::error_code missing;
    if (std::filesystem::exists(paths_.catalogue(), missing)) {
      report_.audit_rows = salvage(paths_.catalogue(), file, report_.problems);
    }
    std::vector<ModelRow> models;
    models.reserve(models_.size());
    for (auto& [name, model] : models_) {
      models.push_back(std::move(model));
    }
    catalogue->restore(models, versions_, actor);
  }

  void keep_old() {
    std::error_code missing;
    if (!std::filesystem::exists(paths_.catalogue(), missing)) {
      return;
    }
    report_.kept = paths_.folder / ("catalogue.old-" + std::to_string(options_.now_ms()) + ".db");
    // Away before the new file comes, into which it would be rolled back.
    const std::string journal = paths_.catalogue().string() + "-journal";
    if (std::filesystem::exists(journal, missing)) {
      files_.rename(journal, report_.kept.string() + "-journal");
    }
    // A second name, so that others always find a catalogue.
    if (!files_.link_new(paths_.catalogue(), report_.kept)) {
      throw Error(ErrorCode::kInternal, "'" + report_.kept.string() + "' is there already");
    }
  }

  // A publication that was killed leaves the record of a version without its model's.
  void write_changed_records() {
    for (const auto& [name, record] : changed_) {
      files_.replace(
          paths_.record(name), record,
          blobs_.temporary_folder() / ("record-" + std::string(RequestId::next().text())));
    }
  }

  void read_records() {
    std::error_code missing;
    for (const auto& folder : std::filesystem::directory_iterator(paths_.records(), missing)) {
      const std::string name = folder.path().filename();
      const std::size_t first = versions_.size();
      record_.clear();
      ModelRow& model = models_[name];
      model.name = name;
      for (const auto& entry : std::filesystem::directory_iterator(folder.path(), missing)) {
        try_record(model, entry.path());
      }
      finish(model, first);
      if (std::string record = model_record(model); record != record_) {
        changed_.emplace(name, std::move(record));
      }
    }
  }

  void try_record(ModelRow& model, const std::filesystem::path& path) {
    try {
      read_record(model, path);
    } catch (const Error& error) {
      report_.problems.push_back("'" + path.string() + "': " + error.message());
    }
  }

  void read_record(ModelRow& model, const std::filesystem::path& path) {
    const std::string text = files_.read_whole(path, kLongestRecord).value_or("");
    if (path.stem() == "model") {
      record_ = text;
      ModelRow found = parse_model_record(text);
      check_place(found.name == model.name);
      found.next_version = std::max(found.next_version, model.next_version);
      model = std::move(found);
      return;
    }
    // A damaged record still tells by its name that the number was given.
    const std::int64_t number = parse_version_number(path.stem().string());
    model.next_version = std::max(model.next_version, number + 1);
    VersionRow row = parse_version_record(text);
    check_place(row.name == model.name && row.version == number);
    versions_.push_back(version_of(std::move(row)));
  }
  static void check_place(bool is_right) {
    if (!is_right) {
      throw Error(ErrorCode::kInvalidArgument, "the record is that of another version");
    }
  }

  // What the manifest says, or the damage where it cannot be read.
  NewVersion version_of(VersionRow row) {
    NewVersion made;
    try {
      const std::string text = blobs_.read(row.digest, kLongestManifest);
      const Manifest manifest = Manifest::parse(text);
      row.runtime = manifest.runtime;
      row.author = manifest.author;
      row.created_ms = manifest.created_ms;
      row.metrics = manifest.metrics;
      for (const FileEntry& file : manifest.files) {
        row.size += file.blob.size;
      }
      made.blobs = manifest.needed();
      made.blobs.push_back({"(manifest)", {row.digest, static_cast<std::int64_t>(text.size())}});
    } catch (const Error& error) {
      row.damage = "file '(manifest)': " + error.message();
      made.blobs.push_back({"(manifest)", {row.digest, 0}});
      report_.problems.push_back("version " + std::to_string(row.version) + " of '" + row.name +
                                 "': " + error.message());
    }
    made.row = std::move(row);
    return made;
  }

  // Aliases only to versions that may serve; those of the model begin at `first`.
  void finish(ModelRow& model, std::size_t first) {
    if (model.created_ms == 0) {
      model.created_ms = options_.now_ms();
    }
    std::erase_if(model.aliases, [&](const auto& entry) {
      const auto begin = versions_.begin() + static_cast<std::ptrdiff_t>(first);
      const bool is_ready = std::any_of(begin, versions_.end(), [&](const auto& made) {
        return made.row.version == entry.second && made.row.state == VersionState::kReady;
      });
      if (!is_ready) {
        report_.problems.push_back("alias '" + entry.first + "' of '" + model.name +
                                   "' was at version " + std::to_string(entry.second) +
                                   ", which is not there; it is removed");
      }
      return !is_ready;
    });
  }

  const StoreOptions options_;
  const StorePaths paths_;
  const Files files_;
  BlobStore blobs_;
  std::map<std::string, ModelRow> models_;
  std::string record_;                          // of the model that is read, as it was found
  std::map<std::string, std::string> changed_;  // records that say something else now
  std::vector<NewVersion> versions_;
  RecoverReport report_;
};

}  // namespace

RecoverReport recover(StoreOptions options, const Actor& actor) {
  options.create = false;
  options = prepared(std::move(options));
  if (options.read_only) {
    throw Error(ErrorCode::kForbidden, "the store in '" + options.folder.string() +
                                           "' is read-only: its catalogue cannot be made again");
  }
  return Recovery(options).run(actor);
}

namespace {

// An earlier copy has a beginning of our audit.
void check_earlier_copy(Store& store, const StoreOptions& target) {
  std::error_code missing;
  if (!std::filesystem::exists(StorePaths{target.folder}.catalogue(), missing)) {
    return;
  }
  const auto copy = open_catalogue(target);
  const AuditCheck last = copy->verify_audit();
  const auto ours = store.catalogue().audit("", std::max<std::int64_t>(last.rows - 1, 0), 1);
  if (last.rows > 0 && (ours.empty() || ours.front().hash != last.head)) {
    throw Error(ErrorCode::kInvalidArgument,
                "'" + target.folder.string() +
                    "' has another store, which a backup would replace; name another folder");
  }
}

void copy_blobs(Store& store, const StoreOptions& target, BackupReport& report) {
  const Files files(target.calls);
  BlobStore blobs(files, target.folder);
  for (const std::string& digest : store.catalogue().needed_blobs()) {
    const auto stamp = store.files().stamp(store.blobs().path_of(digest));
    if (stamp && blobs.has(digest, stamp->size)) {
      continue;
    }
    if (!stamp || blobs.put_file(store.blobs().path_of(digest)).digest != digest) {
      report.problems.push_back("blob " + digest + (stamp ? " is damaged" : " is missing"));
      continue;
    }
    ++report.blobs;
    report.bytes += stamp->size;
  }
}

void write_all_records(Store& store, BackupReport& report) {
  std::string after;
  do {
    const Page<ModelRow> models = store.catalogue().models(after, kPage);
    for (const ModelRow& model : models.items) {
      store.write_record(model);
    }
    after = models.next;
  } while (!after.empty());
  do {
    const Page<VersionRow> versions = store.catalogue().search({}, after, kPage);
    for (const VersionRow& row : versions.items) {
      store.write_record(row);
    }
    report.versions += static_cast<std::int64_t>(versions.items.size());
    after = versions.next;
  } while (!after.empty());
}

}  // namespace

BackupReport back_up(Store& store, const std::filesystem::path& folder) {
  std::error_code missing;
  if (std::filesystem::equivalent(folder, store.paths().folder, missing)) {
    throw Error(ErrorCode::kInvalidArgument, "a backup goes to another folder than its store");
  }
  const StoreOptions target = prepared({.folder = folder});
  if (target.read_only) {
    throw Error(ErrorCode::kForbidden, "'" + folder.string() + "' cannot be written to");
  }
  const StorePaths paths{folder};
  BackupReport report;
  {
    // Keeps others from using the copy while it is none.
    const FileLock target_held(paths.lock(), FileLock::Kind::kExclusive, target.patience);
    check_earlier_copy(store, target);
    std::optional<FileLock> not_collected;
    std::optional<FileLock> held;
    if (!store.is_read_only()) {
      not_collected.emplace(store.lock_collection(FileLock::Kind::kShared));
      copy_blobs(store, target, report);  // while others write
      report.problems.clear();
      held.emplace(store.lock());
    }
    copy_blobs(store, target, report);  // what they have added; before the catalogue needs it
    const Files files(target.calls);
    for (const char* suffix : {"", "-journal"}) {
      (void)files.remove(paths.catalogue().string() + suffix);
    }
    store.catalogue().back_up(paths.catalogue());
  }
  Store copy(target);
  write_all_records(copy, report);
  return report;
}

}  // namespace maas
