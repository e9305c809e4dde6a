// SPDX-License-Identifier: Apache-2.0
#include "maas/server/page_handlers.h"

#include <optional>
#include <string>
#include <string_view>

#include "maas/server/json_writer.h"
#include "maas/server/metrics_page.h"
#include "maas/server/openapi.h"
#include "maas/workers/remote_model.h"

namespace maas {
namespace {

constexpr std::string_view kBarePage =
    "<!doctype html><title>maas</title><p>The operations are described in "
    "<a href=\"/openapi.json\">/openapi.json</a>.</p>";

class Live final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    exchange.response.body = R"({"live":true})";
    exchange.respond();
  }
};

class Ready final : public Handler {
 public:
  explicit Ready(const RouteContext& context) : state_(context.state) {}
  void start(Exchange& exchange) const override {
    const std::string fault = fault_of(*exchange.catalog);
    if (fault.empty()) {
      exchange.response.body = R"({"live":true,"ready":true})";
    } else {
      exchange.response.status = 503;
      exchange.response.body = R"({"error":)";
      append_json_string(exchange.response.body, fault);
      exchange.response.body += R"(,"live":true,"ready":false})";
    }
    exchange.respond();
  }

 private:
  // Why it takes no requests, or not for all endpoints; nothing when it does.
  [[nodiscard]] std::string fault_of(const Catalog& catalog) const {
    if (!state_.ready) {
      return "the server is starting or shutting down";
    }
    if (std::string unwell = state_.unready.with([](const std::string& text) { return text; });
        !unwell.empty()) {
      return unwell;
    }
    for (const EndpointSpec& endpoint : catalog.endpoints) {
      const auto* remote = dynamic_cast<const RemoteModel*>(&endpoint.model->model());
      if (const auto why = remote != nullptr ? remote->pool().unavailable() : std::nullopt) {
        return why->message();
      }
    }
    return {};
  }

  const ServerState& state_;
};

class Metrics final : public Handler {
 public:
  explicit Metrics(const RouteContext& context) : state_(context.state) {}
  void start(Exchange& exchange) const override {
    exchange.response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    write_metrics(state_, *exchange.catalog, exchange.response.body);
    exchange.respond();
  }

 private:
  const ServerState& state_;
};

class OpenApi final : public Handler {
 public:
  explicit OpenApi(const RouteContext& context) : options_(context.options) {}
  void start(Exchange& exchange) const override {
    write_openapi(options_, *exchange.catalog, exchange.response.body);
    exchange.respond();
  }

 private:
  const ServerOptions& options_;
};

class Docs final : public Handler {
 public:
  explicit Docs(const RouteContext& context) : options_(context.options) {}
  void start(Exchange& exchange) const override {
    exchange.response.content_type = "text/html; charset=utf-8";
    exchange.response.body = options_.docs_page.empty() ? kBarePage : options_.docs_page;
    exchange.respond();
  }

 private:
  const ServerOptions& options_;
};

class Root final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    exchange.response.status = 302;
    exchange.response.headers = "Location: /docs\r\n";
    exchange.response.body = "{}";
    exchange.respond();
  }
};

}  // namespace

std::unique_ptr<Handler> make_live(const RouteContext&) {
  return std::make_unique<Live>();
}
std::unique_ptr<Handler> make_ready(const RouteContext& context) {
  return std::make_unique<Ready>(context);
}
std::unique_ptr<Handler> make_metrics(const RouteContext& context) {
  return std::make_unique<Metrics>(context);
}
std::unique_ptr<Handler> make_openapi(const RouteContext& context) {
  return std::make_unique<OpenApi>(context);
}
std::unique_ptr<Handler> make_docs(const RouteContext& context) {
  return std::make_unique<Docs>(context);
}
std::unique_ptr<Handler> make_root(const RouteContext&) {
  return std::make_unique<Root>();
}

}  // namespace maas
