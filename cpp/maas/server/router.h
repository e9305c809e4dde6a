// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maas/server/exchange.h"
#include "maas/server/published.h"
#include "maas/server/request_policy.h"
#include "maas/server/routes.h"

namespace maas {

// Finds for each request the handler that answers it: a route of the server's own, or an endpoint
// of the catalogue, or what is mounted above the path. Owned by the Server; its methods may be
// called from any thread.
class Router {
 public:
  // Throws invalid_argument for a route that names no scope: nobody could be kept from it.
  explicit Router(const RouteContext& context, std::span<const Route> table = routes());

  // Begins exchange.http under what is published now. A path or a model that is not there is
  // answered with 404, a method that is not with 405.
  void dispatch(Exchange& exchange) const;

 private:
  struct Operation {
    const Handler* handler = nullptr;
    std::size_t max_body = 0;  // bytes; 0: the server's own limit
  };
  // What there is at one path.
  struct Target {
    Operation get{};  // also for HEAD
    Operation post{};
    Operation any{};  // for all methods, in place of the others
    [[nodiscard]] const Operation* find(Method method) const noexcept;
    [[nodiscard]] std::string_view allowed() const noexcept;
  };

  void add(const Route& route, const Handler& handler);
  void route(Exchange& exchange, const Published& published) const;
  const Target* find(std::string_view path, const Published& published, Exchange& exchange) const;
  const Target* find_model(std::string_view path,
                           const Published& published,
                           Exchange& exchange) const;
  void serve(const Target& target, Exchange& exchange) const;
  void refuse_method(std::string_view allowed, Exchange& exchange) const;

  const ServerState& state_;
  const RequestPolicy policy_;
  const bool make_traces_;
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
