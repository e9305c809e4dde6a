// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_handlers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/json_body.h"
#include "maas/server/json_reader.h"
#include "maas/server/json_writer.h"
#include "maas/server/v2_request.h"
#include "maas/server/v2_response.h"

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
    body += R"(,"extensions":[]})";
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

// What is published is loaded, so "ready" in the request filters nothing.
class RepositoryIndex final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    check_body(exchange.http.body);
    std::string& body = exchange.response.body;
    body += '[';
    for (const auto& model : exchange.catalog->models) {
      body += body.size() > 1 ? R"(,{"name":)" : R"({"name":)";
      append_json_string(body, model->name());
      body += R"(,"version":")";
      append_json_number(body, model->version());
      body += R"(","state":"READY","reason":""})";
    }
    body += ']';
    exchange.respond();
  }

 private:
  // Clients send no body at all, or {"ready": true}.
  static void check_body(std::string_view body) {
    if (!body.empty()) {
      JsonReader json(body);
      json.begin_object();
      while (json.next_key()) {
        json.skip();
      }
      json.finish();
    }
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

// Kept only for requests that say more than their inputs.
struct InferState final : Handler::State {
  InferOptions options;
};

class Infer final : public Handler {
 public:
  explicit Infer(const RouteContext& context)
      : timeout_(context.options.request_timeout), max_bytes_(context.options.limits.body) {}

  void start(Exchange& exchange) const override {
    check_form(exchange.http);
    const Urgency asked = read_urgency(exchange.http.headers);
    Exchange::require_admission(**exchange.model);
    InferOptions options;
    read_infer_request(exchange.http.body, (*exchange.model)->model().signature(), max_bytes_,
                       exchange.request.inputs, options);
    const Urgency urgency = Urgency{timeout_}.combined_with(asked).combined_with(options.urgency);
    if (!options.is_default()) {
      auto state = std::make_unique<InferState>();
      state->options = std::move(options);
      exchange.state = std::move(state);
    }
    exchange.submit(*exchange.model, urgency);
  }

  void finish(Exchange& exchange, Reply reply) const override {
    static const InferOptions kDefault;
    const auto* state = static_cast<const InferState*>(exchange.state.get());
    write_infer_response(**exchange.model, state != nullptr ? state->options : kDefault,
                         reply.outputs, exchange.response.body);
    exchange.respond();
  }

 private:
  // Clients of the protocol send JSON under no type or a wrong one. What tells that tensors follow
  // the JSON is a header of its own; one that covers the whole body says that none does.
  static void check_form(const HttpRequest& http) {
    require_uncompressed(http);
    const std::string_view length = http.header("inference-header-content-length");
    if (length.empty()) {
      if (http.header("content-type") != "application/octet-stream") {
        require_json_type(http);
      }
    } else if (length != std::to_string(http.body.size())) {
      throw Error(ErrorCode::kInvalidArgument,
                  "binary tensor data (Inference-Header-Content-Length) is not supported; send "
                  "\"data\" as JSON");
    }
  }

  const Duration timeout_;
  const std::size_t max_bytes_;
};

}  // namespace

std::unique_ptr<Handler> make_server_metadata(const RouteContext& context) {
  return std::make_unique<ServerMetadata>(context);
}
std::unique_ptr<Handler> make_repository_index(const RouteContext&) {
  return std::make_unique<RepositoryIndex>();
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
std::unique_ptr<Handler> make_infer(const RouteContext& context) {
  return std::make_unique<Infer>(context);
}

}  // namespace maas
