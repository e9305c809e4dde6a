// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_repository.h"

#include <chrono>
#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/content_coding.h"
#include "maas/server/json_body.h"
#include "maas/server/json_reader.h"
#include "maas/server/json_writer.h"
#include "maas/server/names.h"

namespace maas {
namespace {

constexpr auto kLoadTimeout = std::chrono::minutes(10);
constexpr std::size_t kMaxParameters = std::size_t{64} << 10U;

void append_entry(std::string& body,
                  std::string_view name,
                  int version,
                  std::string_view state,
                  std::string_view reason) {
  body += body.ends_with('[') ? R"({"name":)" : R"(,{"name":)";
  append_json_string(body, name);
  body += R"(,"version":")";
  append_json_number(body, version);
  body += R"(","state":")";
  body += state;
  body += R"(","reason":)";
  append_json_string(body, reason);
  body += '}';
}

class RepositoryIndex final : public Handler {
 public:
  explicit RepositoryIndex(const RouteContext& context) : max_bytes_(context.options.limits.body) {}

  void start(Exchange& exchange) const override {
    decode_body(exchange.http, max_bytes_);
    const bool ready_alone = read_ready(exchange.http.body);
    std::string& body = exchange.response.body;
    body += '[';
    for (const auto& model : exchange.catalog->models) {
      append_entry(body, model->name(), model->version(), "READY", "");
    }
    for (const UnloadedModel& model : exchange.catalog->unloaded) {
      if (!ready_alone) {
        append_entry(body, model.name, model.version, "UNAVAILABLE", "unloaded");
      }
    }
    body += ']';
    exchange.respond();
  }

 private:
  // Clients send no body at all, or {"ready": true}.
  static bool read_ready(std::string_view body) {
    bool ready = false;
    if (body.empty()) {
      return ready;
    }
    JsonReader json(body);
    json.begin_object();
    while (const auto key = json.next_key()) {
      if (*key == "ready") {
        ready = json.boolean();
      } else {
        json.skip();
      }
    }
    json.finish();
    return ready;
  }

  const std::size_t max_bytes_;
};

// NAME of /v2/repository/models/NAME/ACTION.
std::string name_of(std::string_view path) {
  path.remove_prefix(kRepositoryModels.size());
  path = path.substr(0, path.rfind('/'));
  const auto name = percent_decode(path);
  if (!name || !is_model_name(*name)) {
    throw Error(ErrorCode::kInvalidArgument, in_quotes(path) + " is no model name");
  }
  return *name;
}

// Checked to be an object; empty for no parameters.
std::string_view parameters_of(std::string_view body) {
  std::string_view parameters;
  if (body.empty()) {
    return parameters;
  }
  JsonReader json(body);
  json.begin_object();
  while (const auto key = json.next_key()) {
    const bool wanted = *key == "parameters";
    if (wanted && json.type() != JsonType::kObject) {
      throw Error(ErrorCode::kInvalidArgument, "\"parameters\" must be an object");
    }
    const std::string_view value = json.skip();
    parameters = wanted ? value : parameters;
  }
  json.finish();
  return parameters;
}

class Control final : public Handler {
 public:
  explicit Control(std::string_view action) : action_(action) {}

  void start(Exchange& exchange) const override {
    const std::string name = name_of(exchange.http.path);
    require_json_or_untyped(exchange.http);
    decode_body(exchange.http, kMaxParameters);
    const std::string_view parameters = parameters_of(exchange.http.body);
    if (exchange.catalog->control == nullptr) {
      throw Error(ErrorCode::kForbidden,
                  "this server does not load and unload models over the network (its setting "
                  "model_control is off)");
    }
    for (const std::string& text :
         {json_string(action_), json_string(name),
          parameters.empty() ? std::string("{}") : std::string(parameters)}) {
      exchange.request.inputs.push_back(Tensor::from_strings({text}, Shape{1}));
    }
    exchange.submit(exchange.catalog->control, Urgency{kLoadTimeout});
  }

  void finish(Exchange& exchange, Reply) const override { exchange.respond(); }

 private:
  static void require_json_or_untyped(const HttpRequest& http) {
    if (http.header("content-type") != "application/octet-stream") {
      require_json_type(http);
    }
  }

  const std::string_view action_;
};

}  // namespace

std::unique_ptr<Handler> make_repository_index(const RouteContext& context) {
  return std::make_unique<RepositoryIndex>(context);
}
std::unique_ptr<Handler> make_repository_load(const RouteContext&) {
  return std::make_unique<Control>("load");
}
std::unique_ptr<Handler> make_repository_unload(const RouteContext&) {
  return std::make_unique<Control>("unload");
}

}  // namespace maas
