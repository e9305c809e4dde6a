// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// POST /v2/models/{model}/infer, which finds its model in exchange.model.
std::unique_ptr<Handler> make_infer(const RouteContext& context);

}  // namespace maas
