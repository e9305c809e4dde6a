// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/collection.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>

#include "maas/base/error.h"

namespace maas {
namespace {

// Longer than any writer leaves a file unlocked that it has made.
constexpr std::int64_t kTemporaryGraceMs = 60'000;

std::int64_t age_ms(const FileStamp& stamp, std::int64_t now_ms) {
  return now_ms - std::max(stamp.modified_ns, stamp.changed_ns) / 1'000'000;
}

class Collector {
 public:
  Collector(Store& store, const CollectOptions& options)
      : store_(store), options_(options), now_ms_(store.now_ms()) {}

  CollectReport run() {
    if (store_.is_read_only()) {
      (void)store_.lock();  // says so
    }
    const FileLock alone = store_.lock_collection(FileLock::Kind::kExclusive);
    const FileLock held = store_.lock();
    sweep_blobs();
    sweep_temporary_files();
    sweep_records();
    report_.leases = sweep_leases(store_.paths().leases(), options_.dry_run);
    return report_;
  }

 private:
  void sweep_blobs() {
    const auto needed = store_.catalogue().needed_blobs();
    store_.blobs().for_each([&](const BlobRef& blob, const FileStamp& stamp) {
      if (needed.contains(blob.digest)) {
        return;
      }
      if (age_ms(stamp, now_ms_) < options_.grace.count()) {
        ++report_.young;
        return;
      }
      ++report_.blobs;
      report_.bytes += blob.size;
      if (!options_.dry_run) {
        (void)store_.blobs().remove(blob.digest);
      }
    });
  }

  void sweep_temporary_files() {
    std::error_code missing;
    for (const auto& entry :
         std::filesystem::directory_iterator(store_.blobs().temporary_folder(), missing)) {
      const auto stamp = store_.files().stamp(entry.path());
      if (!stamp || age_ms(*stamp, now_ms_) < kTemporaryGraceMs || is_locked(entry.path())) {
        continue;
      }
      ++report_.temporary_files;
      if (!options_.dry_run) {
        (void)store_.files().remove(entry.path());
      }
    }
  }

  // A process that died after it had deleted a version leaves its record.
  void sweep_records() {
    std::error_code missing;
    for (const auto& model :
         std::filesystem::directory_iterator(store_.paths().records(), missing)) {
      for (const auto& entry : std::filesystem::directory_iterator(model.path(), missing)) {
        sweep_record(model.path().filename(), entry.path());
      }
    }
  }
  void sweep_record(const std::string& name, const std::filesystem::path& path) {
    if (is_needed(name, path.stem())) {
      return;
    }
    ++report_.records;
    if (!options_.dry_run) {
      (void)store_.files().remove(path);
    }
  }
  bool is_needed(const std::string& name, const std::string& stem) {
    if (stem == "model") {
      return true;
    }
    if (name != names_of_) {
      names_of_ = name;
      numbers_ = numbers_of(name);
    }
    return numbers_.contains(stem);
  }
  std::set<std::string> numbers_of(const std::string& name) {
    Filter filter;
    filter.conditions.push_back({.key = Condition::Key::kName, .values = {name}});
    std::set<std::string> numbers;
    std::string after;
    do {
      const Page<VersionRow> page = store_.catalogue().search(filter, after, 500);
      for (const VersionRow& row : page.items) {
        numbers.insert(std::to_string(row.version));
      }
      after = page.next;
    } while (!after.empty());
    return numbers;
  }

  Store& store_;
  const CollectOptions options_;
  const std::int64_t now_ms_;
  CollectReport report_;
  std::string names_of_;
  std::set<std::string> numbers_;
};

}  // namespace

CollectReport collect(Store& store, const CollectOptions& options) {
  if (options.grace.count() < 0) {
    throw Error(ErrorCode::kInvalidArgument, "the grace of a collection is not negative");
  }
  return Collector(store, options).run();
}

}  // namespace maas
