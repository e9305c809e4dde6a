// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// Answers the endpoints of the catalogue: exchange.endpoint says which.
std::unique_ptr<Handler> make_typed_handler(const RouteContext& context);

}  // namespace maas
