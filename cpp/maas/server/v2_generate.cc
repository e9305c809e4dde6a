// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_generate.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/accept.h"
#include "maas/server/content_coding.h"
#include "maas/server/http_status.h"
#include "maas/server/json_body.h"
#include "maas/server/json_reader.h"
#include "maas/server/json_writer.h"
#include "maas/server/request_fields.h"
#include "maas/server/stream_format.h"

namespace maas {
namespace {

// Of an answer: what stands before and behind its text.
std::string text_before(const EndpointSpec& endpoint, std::string_view id) {
  std::string text = R"({"model_name":)";
  append_json_string(text, endpoint.text_model);
  text += R"(,"model_version":"1")";
  if (!id.empty()) {
    text += R"(,"id":)";
    text += id;
  }
  text += R"(,"text_output":)";
  return text;
}
constexpr std::string_view kBehind = "}";

// Kept for a request that has an id.
struct Id final : Handler::State {
  std::string json;
};
std::string_view id_of(const Exchange& exchange) {
  const auto* id = static_cast<const Id*>(exchange.state.get());
  return id != nullptr ? std::string_view(id->json) : std::string_view();
}

bool is_string(std::string_view json) noexcept {
  return json.size() >= 2 && json.starts_with('"') && json.ends_with('"');
}

// A text as it is, whatever else as the JSON that it is.
void append_text(std::string& out, std::string_view value, bool is_json) {
  if (is_json && is_string(value)) {
    out += value;
  } else {
    append_json_string(out, value);
  }
}

class Generate : public Handler {
 public:
  explicit Generate(const RouteContext& context) : max_bytes_(context.options.limits.body) {}

  void start(Exchange& exchange) const override {
    const EndpointSpec& endpoint = *exchange.endpoint;
    require_json_type(exchange.http);
    require_accepted(exchange.http);
    const Urgency asked = read_urgency(exchange.http.headers);
    Exchange::require_admission(*endpoint.model);
    decode_body(exchange.http, max_bytes_);
    read(exchange);
    exchange.submit(endpoint.model, Urgency{endpoint.timeout}.combined_with(asked));
  }

  void finish(Exchange& exchange, Reply reply) const override {
    if (reply.stream) {
      gather(exchange, std::move(reply.stream));
      return;
    }
    const std::string& type = reply.outputs.at(1).strings().front();
    std::string text;
    append_text(text, reply.outputs.at(0).strings().front(), type.empty());
    answer(exchange, text);
  }

  void gathered(Exchange& exchange, const std::vector<std::string>& items) const override {
    std::string text = "\"";
    for (const std::string& item : items) {
      std::string one;
      append_text(one, item, true);
      text += std::string_view(one).substr(1, one.size() - 2);
    }
    text += '"';
    answer(exchange, text);
  }

  // As everywhere in the protocol, and what is wrong with each field besides.
  void write_error(const Exchange& exchange, const Error& error, std::string& body) const override {
    Handler::write_error(exchange, error, body);
    if (http_status(error) == 422) {
      body.pop_back();
      body += R"(,"detail":)";
      body += error.detail().empty() ? "[]" : error.detail();
      body += '}';
    }
  }

 protected:
  virtual void require_accepted(const HttpRequest& http) const {
    if (!accepts_media(http.headers, "application/json")) {
      throw Error(ErrorCode::kInvalidArgument,
                  "this path answers with application/json; accept that")
          .with_http_status(406);
    }
  }
  // `text` is a JSON string.
  virtual void answer(Exchange& exchange, std::string_view text) const {
    exchange.response.body = text_before(*exchange.endpoint, id_of(exchange));
    exchange.response.body += text;
    exchange.response.body += kBehind;
    exchange.respond();
  }
  virtual void gather(Exchange& exchange, std::shared_ptr<ItemStream> items) const {
    exchange.gather(std::move(items));
  }

 private:
  void read(Exchange& exchange) const;
  static void read_parameters(JsonReader& json,
                              const EndpointSpec& endpoint,
                              RequestFields& fields);

  const std::size_t max_bytes_;
};

bool is_field(const EndpointSpec& endpoint, std::string_view name) {
  for (const FieldSpec& field : endpoint.fields) {
    if (field.name == name) {
      return true;
    }
  }
  return false;
}

// Clients send parameters of all kinds of models; those that this one lacks are passed over.
void Generate::read_parameters(JsonReader& json,
                               const EndpointSpec& endpoint,
                               RequestFields& fields) {
  if (json.type() != JsonType::kObject) {
    throw Error(ErrorCode::kInvalidArgument, "\"parameters\" must be an object");
  }
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key != endpoint.text_field && is_field(endpoint, *key)) {
      fields.add_member(*key, json);
    } else {
      json.skip();
    }
  }
}

void add_text(JsonReader& json, const EndpointSpec& endpoint, RequestFields& fields) {
  if (json.type() != JsonType::kString) {
    throw Error(ErrorCode::kInvalidArgument, "\"text_input\" must be a string");
  }
  fields.add_member(endpoint.text_field, json);
}

void Generate::read(Exchange& exchange) const {
  const EndpointSpec& endpoint = *exchange.endpoint;
  RequestFields fields(endpoint, max_bytes_, exchange.request.inputs);
  JsonReader json(exchange.http.body);
  bool has_text = false;
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key == "text_input") {
      has_text = true;
      add_text(json, endpoint, fields);
    } else if (*key == "parameters") {
      read_parameters(json, endpoint, fields);
    } else if (*key == "id" && json.type() == JsonType::kString) {
      auto id = std::make_unique<Id>();
      append_json_string(id->json, json.string());
      exchange.state = std::move(id);
    } else if (*key != endpoint.text_field && is_field(endpoint, *key)) {
      fields.add_member(*key, json);
    } else {
      json.skip();
    }
  }
  json.finish();
  if (!has_text) {
    throw Error(ErrorCode::kInvalidArgument, "the request has no \"text_input\"");
  }
  fields.finish();
}

class GenerateStream final : public Generate {
 public:
  using Generate::Generate;

 protected:
  void require_accepted(const HttpRequest& http) const override {
    if (!accepts_media(http.headers, media_type(StreamFormat::kEvents))) {
      throw Error(ErrorCode::kInvalidArgument,
                  "this path answers with text/event-stream; accept that")
          .with_http_status(406);
    }
  }
  void answer(Exchange& exchange, std::string_view text) const override {
    exchange.response.content_type = media_type(StreamFormat::kEvents);
    exchange.response.headers += stream_headers(StreamFormat::kEvents);
    std::string& body = exchange.response.body;
    body = "data: " + text_before(*exchange.endpoint, id_of(exchange));
    body += text;
    body += kBehind;
    body += "\n\n";
    exchange.respond();
  }
  void gather(Exchange& exchange, std::shared_ptr<ItemStream> items) const override {
    exchange.response.stream.before = text_before(*exchange.endpoint, id_of(exchange));
    exchange.response.stream.behind = kBehind;
    exchange.respond_with(std::move(items), StreamFormat::kEvents);
  }
};

}  // namespace

std::unique_ptr<Handler> make_generate(const RouteContext& context) {
  return std::make_unique<Generate>(context);
}
std::unique_ptr<Handler> make_generate_stream(const RouteContext& context) {
  return std::make_unique<GenerateStream>(context);
}

}  // namespace maas
