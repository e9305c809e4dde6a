// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The routes that are about the server and not about a model.
std::unique_ptr<Handler> make_live(const RouteContext& context);
std::unique_ptr<Handler> make_ready(const RouteContext& context);
std::unique_ptr<Handler> make_metrics(const RouteContext& context);
std::unique_ptr<Handler> make_openapi(const RouteContext& context);
std::unique_ptr<Handler> make_docs(const RouteContext& context);
std::unique_ptr<Handler> make_root(const RouteContext& context);

}  // namespace maas
