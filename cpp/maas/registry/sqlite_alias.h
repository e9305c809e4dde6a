// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maas/registry/catalogue.h"
#include "maas/registry/sqlite.h"

namespace maas {

// Where an alias is and was. The moves of one alias are a stack: a move that sets it lies on the
// one before, and one that rolls it back takes the place of the move under it. REQUIRES: all in a
// transaction

// The move that a request makes, with its previous version; not written yet. Throws conflict when
// the alias is not where it is expected, not_found for a version that is not there.
AliasMove plan_move(const Database& database, const AliasRequest& request);
// Throws conflict when there is no version to go back to.
AliasMove plan_roll_back(const Database& database, const AliasRequest& request);

// Writes the move, and gives it its sequence.
void write_move(const Database& database, AliasMove& move);

std::vector<AliasMove> read_moves(const Database& database,
                                  const std::string& name,
                                  const std::string& alias,
                                  std::size_t limit);

}  // namespace maas
