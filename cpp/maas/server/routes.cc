// SPDX-License-Identifier: Apache-2.0
#include "maas/server/routes.h"

#include <array>
#include <cstddef>

#include "maas/server/grpc_infer.h"
#include "maas/server/page_handlers.h"
#include "maas/server/v2_generate.h"
#include "maas/server/v2_handlers.h"
#include "maas/server/v2_infer.h"
#include "maas/server/v2_repository.h"

namespace maas {
namespace {

constexpr Method kGet = Method::kGet;
constexpr Method kPost = Method::kPost;
constexpr std::size_t kSmallBody = std::size_t{64} << 10U;
constexpr std::string_view kGenerateErrors = "400 404 406 413 415 422 500 503 504";
constexpr std::string_view kInferErrors = "400 404 406 413 415 500 503 504";

constexpr std::array kRoutes = {
    Route{kGet, "/livez", "public", "livez", "Whether the process answers", "", "maas.Live", "",
          make_live, kSmallBody},
    Route{kGet, "/readyz", "public", "readyz", "Whether the server takes requests", "",
          "maas.Ready", "503", make_ready, kSmallBody},
    Route{kGet, "/v2/health/live", "public", "v2_live", "Whether the process answers", "",
          "maas.Live", "", make_live, kSmallBody},
    Route{kGet, "/v2/health/ready", "public", "v2_ready", "Whether the server takes requests", "",
          "maas.Ready", "503", make_ready, kSmallBody},
    Route{kGet, "/v2", "read", "v2_server", "Name, version and extensions of the server", "",
          "maas.Server", "", make_server_metadata, kSmallBody},
    Route{kGet, "/v2/", "read", "v2_server_slash", "Name, version and extensions of the server", "",
          "maas.Server", "", make_server_metadata, kSmallBody},
    Route{kGet, "/v2/models", "read", "v2_models", "Names of the models", "", "maas.ModelList", "",
          make_model_list, kSmallBody},
    Route{kPost, "/v2/repository/index", "read", "v2_repository_index",
          "Models and versions with their state", "", "maas.RepositoryIndex", "400",
          make_repository_index, kSmallBody},
    Route{kPost, "/v2/repository/models/{model}/load", "admin", "v2_repository_load",
          "Loads a model, or loads it again", "", "maas.Done", "400 403 404 500 503",
          make_repository_load, kSmallBody},
    Route{kPost, "/v2/repository/models/{model}/unload", "admin", "v2_repository_unload",
          "Takes a model away until it is loaded", "", "maas.Done", "400 403 404 500 503",
          make_repository_unload, kSmallBody},
    Route{kGet, "/v2/models/stats", "read", "v2_stats", "What was counted, of all models", "",
          "maas.Statistics", "", make_all_statistics, kSmallBody},
    Route{kGet, "/v2/models/{model}", "read", "v2_model", "Inputs and outputs of a model", "",
          "maas.Model", "400 404", make_model_metadata, kSmallBody},
    Route{kGet, "/v2/models/{model}/ready", "public", "v2_model_ready",
          "Whether a model takes requests", "", "maas.ModelReady", "400 404 503", make_model_ready,
          kSmallBody},
    Route{kGet, "/v2/models/{model}/config", "read", "v2_model_config",
          "How a model is configured, in Triton's form", "", "maas.ModelConfig", "400 404",
          make_model_config, kSmallBody},
    Route{kGet, "/v2/models/{model}/stats", "read", "v2_model_stats",
          "What was counted, of one model", "", "maas.Statistics", "400 404", make_model_statistics,
          kSmallBody},
    Route{kPost, "/v2/models/{model}/generate", "infer", "v2_generate", "Answers text with text",
          "maas.GenerateRequest", "maas.Generation", kGenerateErrors, make_generate},
    Route{kPost, "/v2/models/{model}/generate_stream", "infer", "v2_generate_stream",
          "Answers text with text, bit by bit", "maas.GenerateRequest", "maas.GenerationStream",
          kGenerateErrors, make_generate_stream},
    Route{kPost, "/v2/models/{model}/infer", "infer", "v2_infer", "Answers tensors with tensors",
          "maas.InferRequest", "maas.Inference", kInferErrors, make_infer},
    Route{kPost, kGrpcInfer, "infer", "grpc_infer", "Answers a message of gRPC with another", "",
          "", "", make_grpc_infer},
    Route{kGet, "/metrics", "read", "metrics", "Counters in the text format of Prometheus", "",
          "maas.Metrics", "", make_metrics, kSmallBody},
    Route{kGet, "/openapi.json", "public", "openapi", "This document", "", "maas.OpenApi", "",
          make_openapi, kSmallBody},
    Route{kGet, "/docs", "public", "docs", "A page to read and try the operations", "", "maas.Page",
          "", make_docs, kSmallBody},
    Route{kGet, "/", "public", "root", "To the documentation", "", "", "", make_root, kSmallBody},
};

}  // namespace

std::span<const Route> routes() noexcept {
  return kRoutes;
}

}  // namespace maas
