// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maas/server/catalog.h"
#include "maas/server/server.h"

namespace maas {

// Appends the OpenAPI 3.1 document: the server's own routes, and the operations of the endpoints
// with the errors that all of them share.
// REQUIRES: a catalogue that passed check_catalog()
void write_openapi(const ServerOptions& options, const Catalog& catalog, std::string& body);

}  // namespace maas
