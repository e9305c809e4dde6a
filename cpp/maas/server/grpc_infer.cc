// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_infer.h"

#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/content_coding.h"
#include "maas/server/grpc_request.h"
#include "maas/server/grpc_response.h"
#include "maas/server/published.h"
#include "maas/server/v2_infer.h"

namespace maas {
namespace {

class GrpcInfer final : public Handler {
 public:
  explicit GrpcInfer(const RouteContext& context)
      : timeout_(context.options.request_timeout), max_bytes_(context.options.limits.body) {}

  void start(Exchange& exchange) const override {
    if (exchange.http.header("content-type") != kProtobufType) {
      throw Error(ErrorCode::kInvalidArgument,
                  "this path takes a message of the type " + std::string(kProtobufType))
          .with_http_status(415);
    }
    decode_body(exchange.http, max_bytes_);
    const GrpcTarget target = read_grpc_target(exchange.http.body);
    exchange.model = &exchange.published->require(
        target.model, target.version.empty() ? std::nullopt : std::optional(target.version));
    const Urgency asked = Urgency{timeout_}.combined_with(read_urgency(exchange.http.headers));
    Exchange::require_admission(**exchange.model);
    const Signature& signature = (*exchange.model)->model().signature();
    InferOptions options;
    read_grpc_request(exchange.http.body, signature, max_bytes_, exchange.request.inputs, options);
    check_outputs(options, signature);
    exchange.http.body = {};  // all of it was copied
    submit_inference(exchange, std::move(options), asked);
  }

  void finish(Exchange& exchange, Reply reply) const override {
    write_grpc_response(**exchange.model, options_of(exchange), reply.outputs,
                        exchange.response.body);
    exchange.response.content_type = kProtobufType;
    exchange.respond();
  }

 private:
  const Duration timeout_;
  const std::size_t max_bytes_;
};

}  // namespace

std::unique_ptr<Handler> make_grpc_infer(const RouteContext& context) {
  return std::make_unique<GrpcInfer>(context);
}

}  // namespace maas
