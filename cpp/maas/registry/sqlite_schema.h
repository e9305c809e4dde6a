// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "maas/registry/sqlite.h"

namespace maas {

// The tables of a catalogue (docs/formats/catalogue.md), as the steps by which they came to be:
// version N is what the first N steps made. A step that was released is never changed.
std::span<const std::string_view> catalogue_steps();

// Brings a database to the last step, in one transaction. `back_up` is called before the first step
// on a database that has some already. Throws invalid_argument for one of a newer maas, or that is
// no catalogue.
void bring_up_to_date(const Database& database,
                      std::span<const std::string_view> steps,
                      const std::function<void(int from)>& back_up);

// Throws unless it is at the last step: for those who may not write.
void check_up_to_date(const Database& database, std::span<const std::string_view> steps);

// The step that a database is at; 0 for an empty one.
int schema_version(const Database& database);

}  // namespace maas
