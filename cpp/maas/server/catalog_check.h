// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/server/catalog.h"

namespace maas {

// Throws for a catalogue that cannot be served, naming what is wrong: invalid_argument for a path,
// field, output, name or JSON text, already_exists for a path that is the server's own. Codecs rely
// on it.
void check_catalog(const Catalog& catalog);

}  // namespace maas
