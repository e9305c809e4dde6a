// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "maas/server/exchange.h"
#include "maas/server/server.h"
#include "maas/server/server_state.h"

namespace maas {

// What handlers are made with; both outlive them.
struct RouteContext {
  const ServerOptions& options;
  const ServerState& state;
};

// One operation of the server's own. Dispatch and the OpenAPI document come from it.
struct Route {
  Method method;           // kGet or kPost; one row per path
  std::string_view path;   // "{model}" stands for a name, and for "NAME/versions/VERSION"
  std::string_view scope;  // what a key must allow: "public", "read" or "infer"
  std::string_view id;     // operationId
  std::string_view summary;
  std::string_view request;  // schema of the body, empty for none
  std::string_view answer;   // response component; without one the row is not documented
  std::string_view errors;   // statuses that the operation may answer with: "400 404"
  std::unique_ptr<Handler> (*make)(const RouteContext& context);
  std::size_t max_body = 0;  // bytes; 0: the server's own limit
};

// All of them, in the order in which the documentation shows them.
std::span<const Route> routes() noexcept;

// What the paths of a model's routes begin with.
inline constexpr std::string_view kModelRoutes = "/v2/models/{model}";
// And those of the repository that are about one model, loaded or not.
inline constexpr std::string_view kRepositoryModels = "/v2/repository/models/";
inline constexpr std::string_view kRepositoryRoutes = "/v2/repository/models/{model}";

}  // namespace maas
