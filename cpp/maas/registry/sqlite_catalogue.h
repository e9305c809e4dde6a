// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "maas/registry/catalogue.h"

namespace maas {

struct SqliteOptions {
  std::filesystem::path file{};
  bool read_only = false;
  std::function<std::int64_t()> now_ms{};            // milliseconds since 1970
  std::function<void(int from)> before_migration{};  // keeps a copy of what is there
  std::function<void()> before_creation{};           // throws where none should be made
};

// A catalogue in one SQLite file. Its writers are serialised by the store's lock; readers need
// none. Throws invalid_argument for the file of a newer maas, not_found for a read-only one that is
// not there.
std::unique_ptr<Catalogue> open_sqlite_catalogue(SqliteOptions options);

}  // namespace maas
