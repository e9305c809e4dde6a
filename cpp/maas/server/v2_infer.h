// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/infer_options.h"
#include "maas/server/routes.h"

namespace maas {

// POST /v2/models/{model}/infer, which finds its model in exchange.model.
std::unique_ptr<Handler> make_infer(const RouteContext& context);

// What inference by any encoding has in common: the exchange's inputs go to its model, with the
// shorter of both urgencies; what the request asked for is kept for its answer.
void submit_inference(Exchange& exchange, InferOptions options, const Urgency& asked);
const InferOptions& options_of(const Exchange& exchange) noexcept;

}  // namespace maas
