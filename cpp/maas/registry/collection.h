// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "maas/registry/store.h"

namespace maas {

struct CollectOptions {
  std::chrono::milliseconds grace = std::chrono::hours(24);  // what is younger stays
  bool dry_run = false;
};

struct CollectReport {
  std::int64_t blobs = 0;  // removed, or that would be
  std::int64_t bytes = 0;
  std::int64_t young = 0;  // unneeded, but within the grace
  std::int64_t temporary_files = 0;
  std::int64_t records = 0;  // of deleted versions
  std::int64_t leases = 0;   // of dead processes
};

// Mark and sweep: removes what no version needs and what dead processes left. Publication is safe
// beside it: both hold the store's lock where it matters.
CollectReport collect(Store& store, const CollectOptions& options);

}  // namespace maas
