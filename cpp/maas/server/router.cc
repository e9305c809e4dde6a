// SPDX-License-Identifier: Apache-2.0
#include "maas/server/router.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/mount_handler.h"
#include "maas/server/names.h"
#include "maas/server/typed_handler.h"

namespace maas {
namespace {

constexpr std::string_view kModels = "/v2/models/";
constexpr std::string_view kVersions = "/versions/";
constexpr std::string_view kAllStatistics = "/v2/models/stats";
constexpr std::string_view kAllMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY";

// A path below kModels: NAME[/versions/VERSION]REST.
struct ModelPath {
  std::string_view name;
  std::optional<std::string_view> version;
  std::string_view rest;
};

std::string_view take_segment(std::string_view& path) noexcept {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

ModelPath split(std::string_view path) noexcept {
  ModelPath parts;
  path.remove_prefix(kModels.size());
  parts.name = take_segment(path);
  if (path.starts_with(kVersions)) {
    path.remove_prefix(kVersions.size());
    parts.version = take_segment(path);
  }
  parts.rest = path;
  return parts;
}

[[noreturn]] void refuse(ErrorCode code, const std::string& message) {
  throw Error(code, message);
}

const EndpointSpec* find_text_model(const ModelPath& path, const Published& published) {
  const auto found = published.text_models.find(path.name);
  if (found != published.text_models.end() && path.version.value_or("1") == "1") {
    return found->second;
  }
  (void)published.require(path.name, path.version);
  refuse(ErrorCode::kInvalidArgument,
         "the model " + in_quotes(path.name) + " takes tensors, not text; POST to its /infer");
}

// Once, and not where that would change how the path is split.
std::string decoded(std::string_view path) {
  auto plain = percent_decode(path);
  if (!plain) {
    refuse(ErrorCode::kInvalidArgument,
           "the path has a '%' without two hexadecimal digits behind it");
  }
  if (std::count(plain->begin(), plain->end(), '/') != std::count(path.begin(), path.end(), '/')) {
    plain->clear();
  }
  return *std::move(plain);
}

}  // namespace

Router::Router(const RouteContext& context, std::span<const Route> table)
    : state_(context.state),
      policy_(context.options, context.state.port),
      make_traces_(context.options.make_traces),
      endpoint_handler_(make_typed_handler(context)),
      mount_handler_(make_mount_handler(context)) {
  endpoint_target_.post.handler = endpoint_handler_.get();
  mount_target_.any.handler = mount_handler_.get();
  for (const Route& route : table) {
    if (route.scope.empty()) {
      refuse(ErrorCode::kInvalidArgument,
             "the route " + std::string(route.path) + " has no scope; name who may use it");
    }
    add(route, *handlers_.emplace_back(route.make(context)));
  }
}

void Router::add(const Route& route, const Handler& handler) {
  const bool of_model = route.path.starts_with(kModelRoutes);
  const bool of_repository = route.path.starts_with(kRepositoryRoutes);
  Target& target = of_model ? model_targets_[route.path.substr(kModelRoutes.size())]
                   : of_repository
                       ? repository_targets_[route.path.substr(kRepositoryRoutes.size())]
                       : targets_[route.path];
  (route.method == Method::kGet ? target.get : target.post) = {&handler, route.max_body};
}

void Router::dispatch(Exchange& exchange) const {
  std::shared_ptr<const Published> published = state_.published.load();
  const Published& current = *published;
  exchange.catalog = {std::move(published), &current.catalog};
  exchange.published = &current;
  exchange.model = nullptr;
  exchange.endpoint = nullptr;
  exchange.mount = nullptr;
  try {
    route(exchange, current);
  } catch (...) {
    exchange.fail(current_error());
  }
}

void Router::route(Exchange& exchange, const Published& published) const {
  const HttpRequest& http = exchange.http;
  exchange.cors = policy_.cors_fields(http);
  policy_.check(http);
  if (http.method == Method::kOther) {
    throw Error(ErrorCode::kInvalidArgument,
                "the server does not know the method " + in_quotes(http.verb))
        .with_http_status(501);
  }
  if (http.method == Method::kConnect || http.path == "*") {
    return refuse_method(kAllMethods, exchange);
  }
  exchange.trace = TraceContext::read(http.headers);
  if (make_traces_ && exchange.trace.empty()) {
    exchange.trace = TraceContext::make();
  }
  const Target* target = http.path.find('%') == std::string_view::npos
                             ? find(http.path, published, exchange)
                             : find(decoded(http.path), published, exchange);
  if (target == nullptr) {
    refuse(ErrorCode::kNotFound, "there is nothing at " + in_quotes(http.path) +
                                     "; GET /openapi.json lists what there is");
  }
  serve(*target, exchange);
}

const Router::Target* Router::find(std::string_view path,
                                   const Published& published,
                                   Exchange& exchange) const {
  if (path.starts_with(kModels) && path != kAllStatistics) {
    return find_model(path, published, exchange);
  }
  if (const auto own = targets_.find(path); own != targets_.end()) {
    return &own->second;
  }
  if (path.starts_with(kRepositoryModels)) {
    const auto target =
        repository_targets_.find(path.substr(std::min(path.rfind('/'), path.size())));
    return target != repository_targets_.end() ? &target->second : nullptr;
  }
  const auto endpoint = published.endpoints.find(path);
  if (endpoint != published.endpoints.end()) {
    exchange.endpoint = endpoint->second;
    return &endpoint_target_;
  }
  exchange.mount = published.find_mount(exchange.http.path);
  return exchange.mount != nullptr ? &mount_target_ : nullptr;
}

const Router::Target* Router::find_model(std::string_view path,
                                         const Published& published,
                                         Exchange& exchange) const {
  const ModelPath parts = split(path);
  const auto target = model_targets_.find(parts.rest);
  if (target == model_targets_.end()) {
    return nullptr;
  }
  if (parts.rest == "/generate" || parts.rest == "/generate_stream") {
    if (exchange.http.method == Method::kPost) {  // else serve() tells what is taken
      exchange.endpoint = find_text_model(parts, published);
    }
  } else {
    exchange.model = &published.require(parts.name, parts.version);
  }
  return &target->second;
}

const Router::Operation* Router::Target::find(Method method) const noexcept {
  const bool reads = method == Method::kGet || method == Method::kHead;
  const Operation* found = any.handler != nullptr    ? &any
                           : reads                   ? &get
                           : method == Method::kPost ? &post
                                                     : nullptr;
  const bool is_there = found != nullptr && found->handler != nullptr && method != Method::kTrace;
  return is_there ? found : nullptr;
}

std::string_view Router::Target::allowed() const noexcept {
  if (any.handler != nullptr) {
    return kAllMethods;
  }
  return get.handler == nullptr    ? "POST, OPTIONS"
         : post.handler == nullptr ? "GET, HEAD, OPTIONS"
                                   : "GET, HEAD, POST, OPTIONS";
}

void Router::serve(const Target& target, Exchange& exchange) const {
  const Operation* operation = target.find(exchange.http.method);
  if (operation == nullptr) {
    return refuse_method(target.allowed(), exchange);
  }
  if (operation->max_body != 0 && exchange.http.body.size() > operation->max_body) {
    refuse(ErrorCode::kTooLarge,
           "a body of this path is at most " + std::to_string(operation->max_body) + " bytes");
  }
  if (target.any.handler != nullptr) {
    exchange.cors = {};  // an application has its own rules for those who may read it
  }
  exchange.begin(*operation->handler);
}

// Answers OPTIONS, and any method that the path does not take.
void Router::refuse_method(std::string_view allowed, Exchange& exchange) const {
  HttpResponse& response = exchange.response;
  response.headers = "Allow: " + std::string(allowed) + "\r\n";
  if (exchange.http.method == Method::kOptions) {
    response.status = 204;
    response.headers += policy_.preflight_fields(exchange.http, allowed);
  } else {
    response.status = 405;
    const Error error(ErrorCode::kInvalidArgument, "this path takes " + std::string(allowed));
    endpoint_handler_->write_error(exchange, error, response.body);
  }
  exchange.respond();
}

}  // namespace maas
