// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/fsck.h"

#include <algorithm>
#include <utility>

#include "maas/registry/record.h"

namespace maas {
namespace {

constexpr std::size_t kPage = 500;
constexpr std::size_t kLongestRecord = std::size_t{64} << 20U;

class Checker {
 public:
  Checker(Store& store, bool quick)
      : store_(store), check_(quick ? BlobStore::Check::kCached : BlobStore::Check::kFull) {}

  FsckReport run() {
    check_catalogue();
    const std::string all = "";
    for (std::string after = all;;) {
      const Page<ModelRow> page = store_.catalogue().models(after, kPage);
      for (const ModelRow& model : page.items) {
        check_model(model);
      }
      after = page.next;
      if (after.empty()) {
        break;
      }
    }
    const auto needed = store_.catalogue().needed_blobs();
    store_.blobs().for_each([&](const BlobRef& blob, const FileStamp&) {
      ++report_.blobs;
      report_.bytes += blob.size;
      report_.unneeded += needed.contains(blob.digest) ? 0 : 1;
    });
    return std::move(report_);
  }

 private:
  void find(Finding finding) { report_.findings.push_back(std::move(finding)); }

  void check_catalogue() {
    if (const std::string told = store_.catalogue().self_check(); !told.empty()) {
      find({.kind = "catalogue", .message = told});
    }
    if (const AuditCheck audit = store_.catalogue().verify_audit(); !audit.problem.empty()) {
      find({.kind = "audit", .message = audit.problem});
    }
  }

  void check_model(const ModelRow& model) {
    Filter filter;
    filter.conditions.push_back({.key = Condition::Key::kName, .values = {model.name}});
    std::string after;
    do {
      const Page<VersionRow> page = store_.catalogue().search(filter, after, kPage);
      for (const VersionRow& row : page.items) {
        check_version(model, row);
      }
      after = page.next;
    } while (!after.empty());
    for (const auto& [alias, version] : model.aliases) {
      const auto row = store_.catalogue().version(model.name, version);
      if (!row || row->state != VersionState::kReady) {
        find({.kind = "alias",
              .name = model.name,
              .version = version,
              .message = "alias '" + alias + "' is at a version that is not ready"});
      }
    }
    check_record(store_.paths().record(model.name), model_record(model), model.name, 0,
                 [&] { return store_.catalogue().model(model.name); });
  }

  void check_version(const ModelRow& model, const VersionRow& row) {
    ++report_.versions;
    if (row.version >= model.next_version) {
      find({.kind = "number",
            .name = row.name,
            .version = row.version,
            .message = "the next number is " + std::to_string(model.next_version)});
    }
    const auto found = store_.damage(row, check_);
    if (found && is_deleted(store_.catalogue().version(row.name, row.version).value_or(row))) {
      return;  // meanwhile, and collected
    }
    if (found) {
      find({.kind = "blob", .name = row.name, .version = row.version, .message = *found});
    }
    if (found.value_or("") != row.damage && !store_.is_read_only()) {
      const FileLock held = store_.lock();
      store_.catalogue().note_damage(row.name, row.version, found.value_or(""));
    }
    check_record(store_.paths().record(row.name, row.version), version_record(row), row.name,
                 row.version, [&] { return store_.catalogue().version(row.name, row.version); });
  }

  // Under the lock once more, because others may have changed both meanwhile.
  template <typename Read>
  void check_record(const std::filesystem::path& path,
                    const std::string& expected,
                    const std::string& name,
                    std::int64_t version,
                    const Read& read) {
    if (text_of(path) == expected) {
      return;
    }
    std::optional<FileLock> held;
    if (!store_.is_read_only()) {
      held.emplace(store_.lock());
    }
    const auto row = read();
    if (!row || is_deleted(*row) || text_of(path) == record_of(*row)) {
      return;
    }
    if (held) {
      store_.write_record(*row);
    }
    find({.kind = "record",
          .name = name,
          .version = version,
          .message = "'" + path.string() + "' is missing or not what the catalogue says",
          .repaired = held.has_value()});
  }
  static bool is_deleted(const ModelRow&) { return false; }
  static bool is_deleted(const VersionRow& row) { return row.state == VersionState::kDeleted; }
  static std::string record_of(const ModelRow& row) { return model_record(row); }
  static std::string record_of(const VersionRow& row) { return version_record(row); }
  [[nodiscard]] std::string text_of(const std::filesystem::path& path) const {
    return store_.files().read_whole(path, kLongestRecord).value_or("");
  }

  Store& store_;
  const BlobStore::Check check_;
  FsckReport report_;
};

}  // namespace

bool FsckReport::is_well() const noexcept {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.repaired; });
}

FsckReport fsck(Store& store, bool quick) {
  return Checker(store, quick).run();
}

}  // namespace maas
