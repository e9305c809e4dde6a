// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maas/registry/store.h"

namespace maas {

// Something that is not as it should be.
struct Finding {
  std::string kind{};  // catalogue, audit, blob, record, alias, number
  std::string name{};
  std::int64_t version = 0;
  std::string message{};
  bool repaired = false;
};

struct FsckReport {
  std::int64_t versions = 0;
  std::int64_t blobs = 0;  // in the store
  std::int64_t bytes = 0;
  std::int64_t unneeded = 0;  // blobs that no version needs: collection takes them
  std::vector<Finding> findings{};

  // Nothing was found but what is repaired.
  [[nodiscard]] bool is_well() const noexcept;
};

// Looks at everything: reads each byte of each version (with `quick` only of files that have
// changed), follows the chain of the audit, and compares records and aliases with the catalogue.
// Notes damage, and writes records that are missing, in a store that can be written to.
FsckReport fsck(Store& store, bool quick);

}  // namespace maas
