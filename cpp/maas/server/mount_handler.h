// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// Passes requests of any method on to what is mounted: exchange.mount says which. Its model takes
// the request as seven texts (method, path, query, fields, version, client, body) and answers with
// a head ("200\r\nName: value") and a stream of bytes.
std::unique_ptr<Handler> make_mount_handler(const RouteContext& context);

}  // namespace maas
