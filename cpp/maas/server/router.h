// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maas/server/exchange.h"
#include "maas/server/published.h"
#include "maas/server/routes.h"

namespace maas {

// Finds for each request the handler that answers it: a route of the server's own, or an endpoint
// of the catalogue, or what is mounted above the path. Owned by the Server; its methods may be
// called from any thread.
class Router {
 public:
  explicit Router(const RouteContext& context);

  // Begins exchange.http under what is published now. A path or a model that is not there is
  // answered with 404, a method that is not with 405.
  void dispatch(Exchange& exchange) const;

 private:
  // The handlers at one path.
  struct Target {
    const Handler* get = nullptr;  // also for HEAD
    const Handler* post = nullptr;
    const Handler* any = nullptr;  // for all methods, in place of the others
  };

  void add(const Route& route, const Handler& handler);
  const Target* find(std::string_view path, const Published& published, Exchange& exchange) const;
  const Target* find_model(std::string_view path,
                           const Published& published,
                           Exchange& exchange) const;
  void serve(const Target& target, Exchange& exchange) const;

  const ServerState& state_;
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::unordered_map<std::string_view, Target> targets_;             // by path
  std::unordered_map<std::string_view, Target> model_targets_;       // by what follows the model
  std::unordered_map<std::string_view, Target> repository_targets_;  // likewise
  std::unique_ptr<Handler> endpoint_handler_;
  Target endpoint_target_;
  std::unique_ptr<Handler> mount_handler_;
  Target mount_target_;
};

}  // namespace maas
