// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The model repository extension. What is loaded is the business of whoever publishes: load and
// unload are handed to Catalog::control, whose answer says that it is done.
std::unique_ptr<Handler> make_repository_index(const RouteContext& context);
std::unique_ptr<Handler> make_repository_load(const RouteContext& context);
std::unique_ptr<Handler> make_repository_unload(const RouteContext& context);

}  // namespace maas
