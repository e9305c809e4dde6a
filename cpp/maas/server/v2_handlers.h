// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The routes of the Open Inference Protocol. Those of one model find it in exchange.model.
std::unique_ptr<Handler> make_server_metadata(const RouteContext& context);
std::unique_ptr<Handler> make_model_list(const RouteContext& context);
std::unique_ptr<Handler> make_model_metadata(const RouteContext& context);
std::unique_ptr<Handler> make_model_ready(const RouteContext& context);
std::unique_ptr<Handler> make_model_config(const RouteContext& context);
std::unique_ptr<Handler> make_model_statistics(const RouteContext& context);
std::unique_ptr<Handler> make_all_statistics(const RouteContext& context);

}  // namespace maas
