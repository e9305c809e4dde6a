// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_handlers.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/json_writer.h"
#include "maas/server/v2_config.h"
#include "maas/server/v2_response.h"
#include "maas/server/v2_statistics.h"

namespace maas {
namespace {

class ServerMetadata final : public Handler {
 public:
  explicit ServerMetadata(const RouteContext& context) : options_(context.options) {}
  void start(Exchange& exchange) const override {
    std::string& body = exchange.response.body;
    body += R"({"name":)";
    append_json_string(body, options_.title);
    body += R"(,"version":)";
    append_json_string(body, options_.version);
    body += R"(,"extensions":["binary_tensor_data","classification","model_configuration",)";
    body += R"("schedule_policy","statistics")";
    body += exchange.catalog->control != nullptr ? R"(,"model_repository"]})" : "]}";
    exchange.respond();
  }

 private:
  const ServerOptions& options_;
};

class ModelList final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    std::string& body = exchange.response.body;
    body += R"({"models":[)";
    std::vector<std::string_view> names;
    for (const auto& model : exchange.catalog->models) {
      names.emplace_back(model->name());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string_view name : names) {
      body += name.data() == names.front().data() ? "" : ",";
      append_json_string(body, name);
    }
    body += "]}";
    exchange.respond();
  }
};

class ModelMetadata final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    write_model_metadata(**exchange.model, *exchange.catalog, exchange.response.body);
    exchange.respond();
  }
};

class ModelReady final : public Handler {
 public:
  explicit ModelReady(const RouteContext& context) : state_(context.state) {}
  void start(Exchange& exchange) const override {
    if (!state_.ready) {
      throw Error(ErrorCode::kUnavailable, "the server is starting or shutting down");
    }
    std::string& body = exchange.response.body;
    body += R"({"name":)";
    append_json_string(body, (*exchange.model)->name());
    body += R"(,"ready":true})";
    exchange.respond();
  }

 private:
  const ServerState& state_;
};

class ModelConfig final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    write_model_config(**exchange.model, exchange.response.body);
    exchange.respond();
  }
};

class ModelStatistics final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    write_statistics(std::span(exchange.model, 1), exchange.response.body);
    exchange.respond();
  }
};

class AllStatistics final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    write_statistics(exchange.catalog->models, exchange.response.body);
    exchange.respond();
  }
};

}  // namespace

std::unique_ptr<Handler> make_server_metadata(const RouteContext& context) {
  return std::make_unique<ServerMetadata>(context);
}
std::unique_ptr<Handler> make_model_list(const RouteContext&) {
  return std::make_unique<ModelList>();
}
std::unique_ptr<Handler> make_model_metadata(const RouteContext&) {
  return std::make_unique<ModelMetadata>();
}
std::unique_ptr<Handler> make_model_ready(const RouteContext& context) {
  return std::make_unique<ModelReady>(context);
}
std::unique_ptr<Handler> make_model_config(const RouteContext&) {
  return std::make_unique<ModelConfig>();
}
std::unique_ptr<Handler> make_model_statistics(const RouteContext&) {
  return std::make_unique<ModelStatistics>();
}
std::unique_ptr<Handler> make_all_statistics(const RouteContext&) {
  return std::make_unique<AllStatistics>();
}

}  // namespace maas
