// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "maas/registry/store.h"

namespace maas {

struct RecoverReport {
  std::int64_t models = 0;
  std::int64_t versions = 0;
  std::int64_t audit_rows = 0;          // saved from the catalogue that was there
  std::filesystem::path kept{};         // where that catalogue is now; empty when there was none
  std::vector<std::string> problems{};  // what could not be read, and what became of it
};

// Makes the catalogue again from the records and manifests on disk. The one that was there is kept
// beside it, and its audit, history and outbox are saved as far as they can be read. Other
// processes may go on: they open the new one.
RecoverReport recover(StoreOptions options, const Actor& actor);

// A whole copy of a store in another folder, which is a store then; made while others write. What
// is there already is not copied again. Throws invalid_argument when the folder has another store
// than an earlier copy of this one.
struct BackupReport {
  std::int64_t versions = 0;
  std::int64_t blobs = 0;  // copied
  std::int64_t bytes = 0;
  std::vector<std::string> problems{};  // damaged bytes, which were not copied
};
BackupReport back_up(Store& store, const std::filesystem::path& folder);

}  // namespace maas
