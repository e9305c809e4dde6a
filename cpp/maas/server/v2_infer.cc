// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_infer.h"

#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/accept.h"
#include "maas/server/content_coding.h"
#include "maas/server/inference_header.h"
#include "maas/server/json_body.h"
#include "maas/server/response_head.h"
#include "maas/server/v2_request.h"
#include "maas/server/v2_response.h"

namespace maas {
namespace {

// Kept only for requests that say more than their inputs.
struct InferState final : Handler::State {
  InferOptions options;
};

// Clients of the protocol send JSON under no type or a wrong one. What tells that tensors follow
// the JSON is a header field of its own, which a web page cannot set across origins unasked.
void check_form(const HttpRequest& http) {
  if (http.header(kInferenceHeader).empty() &&
      http.header("content-type") != "application/octet-stream") {
    require_json_type(http);
  }
  if (!accepts_media(http.headers, "application/json") &&
      !accepts_media(http.headers, "application/octet-stream")) {
    throw Error(ErrorCode::kInvalidArgument,
                "this path answers with application/json, or application/octet-stream for binary "
                "outputs; accept these")
        .with_http_status(406);
  }
}

class Infer final : public Handler {
 public:
  explicit Infer(const RouteContext& context)
      : timeout_(context.options.request_timeout),
        max_bytes_(context.options.limits.body),
        compression_(context.options.compression) {}

  void start(Exchange& exchange) const override {
    const Signature& signature = (*exchange.model)->model().signature();
    check_form(exchange.http);
    const Urgency asked = Urgency{timeout_}.combined_with(read_urgency(exchange.http.headers));
    Exchange::require_admission(**exchange.model);
    decode_body(exchange.http, max_bytes_);
    InferOptions options;
    read_infer_request(split_infer_body(exchange.http), signature, max_bytes_,
                       exchange.request.inputs, options);
    check_outputs(options, signature);
    exchange.http.memory.reset();  // inputs that stand in it keep it
    exchange.http.body = {};
    submit_inference(exchange, std::move(options), asked);
  }

  void finish(Exchange& exchange, Reply reply) const override {
    write_infer_response(**exchange.model, options_of(exchange), reply.outputs, exchange.response);
    append_model_version(exchange.response.headers, (*exchange.model)->version());
    encode_body(exchange.http, compression_, exchange.response);
    exchange.respond();
  }

 private:
  const Duration timeout_;
  const std::size_t max_bytes_;
  const CompressionPolicy compression_;
};

}  // namespace

void submit_inference(Exchange& exchange, InferOptions options, const Urgency& asked) {
  const Urgency urgency = asked.combined_with(options.urgency);
  if (!options.is_default()) {
    auto state = std::make_unique<InferState>();
    state->options = std::move(options);
    exchange.state = std::move(state);
  }
  exchange.submit(*exchange.model, urgency);
}

const InferOptions& options_of(const Exchange& exchange) noexcept {
  static const InferOptions kDefault;
  const auto* state = static_cast<const InferState*>(exchange.state.get());
  return state != nullptr ? state->options : kDefault;
}

std::unique_ptr<Handler> make_infer(const RouteContext& context) {
  return std::make_unique<Infer>(context);
}

}  // namespace maas
