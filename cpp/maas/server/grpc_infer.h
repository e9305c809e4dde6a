// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "maas/server/exchange.h"
#include "maas/server/routes.h"

namespace maas {

// The path and the type of an inference request that is a message of Protocol Buffers, as gRPC
// carries it.
inline constexpr std::string_view kGrpcInfer = "/inference.GRPCInferenceService/ModelInfer";
inline constexpr std::string_view kProtobufType = "application/proto";

// POST kGrpcInfer: a ModelInferRequest, which names its model, is answered by a ModelInferResponse.
// A failure is the JSON of every other route: what carries gRPC makes a status of it.
std::unique_ptr<Handler> make_grpc_infer(const RouteContext& context);

}  // namespace maas
