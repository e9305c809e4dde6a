// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_handler.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/content_coding.h"
#include "maas/server/field_problems.h"
#include "maas/server/http_status.h"
#include "maas/server/response_head.h"
#include "maas/server/stream_format.h"
#include "maas/server/typed_request.h"
#include "maas/server/typed_response.h"

namespace maas {
namespace {

// Keeps the answer's media type until the answer is written.
struct MediaType final : Handler::State {
  std::string text;
};

constexpr std::array<std::string_view, 4> kCommonTypes = {
    "application/json", "application/octet-stream", "text/plain; charset=utf-8", "image/png"};

// `type`, or the default for an empty one, as a view that lives as long as the exchange.
std::string_view keep_type(std::string_view type, Exchange& exchange) {
  if (type.empty()) {
    return kCommonTypes.front();
  }
  const auto* common = std::find(kCommonTypes.begin(), kCommonTypes.end(), type);
  if (common != kCommonTypes.end()) {
    return *common;
  }
  if (!std::all_of(type.begin(), type.end(), [](char c) { return c >= ' ' && c <= '~'; })) {
    throw Error(ErrorCode::kInternal, "the handler's content type is not printable ASCII");
  }
  auto kept = std::make_unique<MediaType>();
  kept->text = type;
  const std::string_view view = kept->text;
  exchange.state = std::move(kept);
  return view;
}

std::shared_ptr<const Origin> origin_of(const Exchange& exchange) {
  const HttpRequest& http = exchange.http;
  auto origin = std::make_shared<Origin>();
  origin->target = http.path;
  if (!http.query.empty()) {
    origin->target += '?';
    origin->target += http.query;
  }
  origin->headers.reserve(http.headers.size());
  for (const Header& header : traced(http.headers, exchange.trace)) {
    origin->headers.emplace_back(header.name, header.value);
  }
  return origin;
}

// What a Python callable answered for this request.
const std::string& answer_of(const Tensor& output) {
  if (output.dtype() != DType::kBytes || output.elements() != 1) {
    throw Error(ErrorCode::kInternal, "the model of this endpoint did not answer with bytes");
  }
  return output.strings().front();
}

StreamFormat stream_format_of(const Exchange& exchange) {
  if (const auto format = choose_stream_format(exchange.http.headers)) {
    return *format;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "this path answers with a stream; accept text/event-stream or application/x-ndjson")
      .with_http_status(406);
}

void prepare(const std::vector<OpPtr>& ops, std::vector<Tensor>& inputs) {
  for (Tensor& input : inputs) {
    if (!ops.empty() && !input.is_absent()) {
      input = apply_ops(ops, std::move(input), {});
    }
  }
}

class TypedHandler final : public Handler {
 public:
  explicit TypedHandler(const RouteContext& context) : max_bytes_(context.options.limits.body) {}

  void start(Exchange& exchange) const override;
  void finish(Exchange& exchange, Reply reply) const override;
  void write_error(const Exchange& exchange, const Error& error, std::string& body) const override;

 private:
  const std::size_t max_bytes_;
};

void TypedHandler::start(Exchange& exchange) const {
  const EndpointSpec& endpoint = *exchange.endpoint;
  std::vector<Tensor>& inputs = exchange.request.inputs;
  const BodyKind& kind = body_kind(exchange.http, endpoint);
  if (endpoint.streams) {
    (void)stream_format_of(exchange);
  }
  const Urgency asked = read_urgency(exchange.http.headers);
  Exchange::require_admission(*endpoint.model);
  decode_body(exchange.http, max_bytes_);
  read_typed_request(kind, exchange.http, endpoint, max_bytes_, inputs);
  exchange.http.body = {};
  exchange.http.memory.reset();
  prepare(endpoint.pre, inputs);
  if (endpoint.asks_origin) {
    exchange.request.origin = origin_of(exchange);
  }
  exchange.submit(endpoint.model, Urgency{endpoint.timeout}.combined_with(asked));
}

void TypedHandler::finish(Exchange& exchange, Reply reply) const {
  const EndpointSpec& endpoint = *exchange.endpoint;
  if (reply.stream) {
    exchange.respond_with(std::move(reply.stream), stream_format_of(exchange));
    return;
  }
  if (endpoint.native) {
    append_model_version(exchange.response.headers, endpoint.model->version());
    write_typed_response(endpoint, exchange.request.inputs, reply.outputs, exchange.response.body);
  } else {
    exchange.response.content_type = keep_type(answer_of(reply.outputs.at(1)), exchange);
    exchange.response.body = answer_of(reply.outputs.at(0));
  }
  exchange.respond();
}

void TypedHandler::write_error(const Exchange& exchange,
                               const Error& error,
                               std::string& body) const {
  if (http_status(error) != 422) {
    Handler::write_error(exchange, error, body);
    return;
  }
  body += R"({"detail":)";
  body += error.detail().empty() ? body_problem(error.message(), "value_error") : error.detail();
  body += '}';
}

}  // namespace

std::unique_ptr<Handler> make_typed_handler(const RouteContext& context) {
  return std::make_unique<TypedHandler>(context);
}

}  // namespace maas
