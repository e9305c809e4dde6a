// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The generate extension, for endpoints that answer a text with text (EndpointSpec::text_model),
// which exchange.endpoint names: {"text_input": ..., "parameters": {...}} becomes their fields, and
// what they answer "text_output". One that streams is gathered by generate; generate_stream gives
// each of its items, or the one answer of another, as an event.
std::unique_ptr<Handler> make_generate(const RouteContext& context);
std::unique_ptr<Handler> make_generate_stream(const RouteContext& context);

}  // namespace maas
