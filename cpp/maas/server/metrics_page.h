// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maas/server/catalog.h"
#include "maas/server/server_state.h"

namespace maas {

// Appends all counters in the text format of Prometheus, version 0.0.4.
void write_metrics(const ServerState& state, const Catalog& catalog, std::string& body);

}  // namespace maas
