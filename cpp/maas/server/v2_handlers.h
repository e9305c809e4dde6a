// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The routes of the Open Inference Protocol. Those of one model find it in exchange.model.
std::unique_ptr<Handler> make_server_metadata(const RouteContext& context);
std::unique_ptr<Handler> make_repository_index(const RouteContext& context);
std::unique_ptr<Handler> make_model_list(const RouteContext& context);
std::unique_ptr<Handler> make_model_metadata(const RouteContext& context);
std::unique_ptr<Handler> make_model_ready(const RouteContext& context);
std::unique_ptr<Handler> make_infer(const RouteContext& context);

}  // namespace maas
