// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "maas/registry/filter.h"
#include "maas/registry/sqlite.h"

namespace maas {

// A part of a WHERE clause over `versions v`, and what its question marks stand for.
struct SqlCondition {
  std::string sql{};
  std::vector<std::variant<std::string, double>> values{};

  void bind_to(Statement& statement) const;
};

// Finds a few versions through the index of their tags or metrics where few have them, and else
// reads versions in order until the page is full, so that neither case looks at every version.
SqlCondition sql_of(const Database& database, const Filter& filter);

}  // namespace maas
