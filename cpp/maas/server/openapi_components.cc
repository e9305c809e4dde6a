// SPDX-License-Identifier: Apache-2.0
#include "maas/server/openapi_components.h"

namespace maas {
namespace {

constexpr std::string_view kSchemas = R"json(
"maas.Error":{"type":"object","required":["error"],"properties":{
  "error":{"type":"string"},"request_id":{"type":"string"}}},
"maas.ValidationError":{"type":"object","required":["detail"],"properties":{
  "detail":{"type":"array","items":{"type":"object","required":["loc","msg","type"],"properties":{
    "loc":{"type":"array","items":{"type":["string","integer"]}},
    "msg":{"type":"string"},"type":{"type":"string"}}}}}},
"maas.Live":{"type":"object","properties":{"live":{"type":"boolean"}}},
"maas.Ready":{"type":"object","properties":{
  "live":{"type":"boolean"},"ready":{"type":"boolean"}}},
"maas.Server":{"type":"object","properties":{
  "name":{"type":"string"},"version":{"type":"string"},
  "extensions":{"type":"array","items":{"type":"string"}}}},
"maas.ModelList":{"type":"object","properties":{
  "models":{"type":"array","items":{"type":"string"}}}},
"maas.RepositoryIndex":{"type":"array","items":{"type":"object","properties":{
  "name":{"type":"string"},"version":{"type":"string"},
  "state":{"type":"string"},"reason":{"type":"string"}}}},
"maas.TensorSpec":{"type":"object","properties":{
  "name":{"type":"string"},"datatype":{"$ref":"#/components/schemas/maas.Datatype"},
  "shape":{"type":"array","items":{"type":"integer","minimum":-1}}}},
"maas.Model":{"type":"object","properties":{
  "name":{"type":"string"},"versions":{"type":"array","items":{"type":"string"}},
  "platform":{"type":"string"},
  "inputs":{"type":"array","items":{"$ref":"#/components/schemas/maas.TensorSpec"}},
  "outputs":{"type":"array","items":{"$ref":"#/components/schemas/maas.TensorSpec"}}}},
"maas.ModelReady":{"type":"object","properties":{
  "name":{"type":"string"},"ready":{"type":"boolean"}}},
"maas.Datatype":{"type":"string","enum":["BOOL","UINT8","UINT16","UINT32","UINT64","INT8","INT16",
  "INT32","INT64","FP16","BF16","FP32","FP64","BYTES"]},
"maas.Tensor":{"type":"object","required":["name","shape","datatype","data"],"properties":{
  "name":{"type":"string"},
  "shape":{"type":"array","items":{"type":"integer","minimum":0},"maxItems":8},
  "datatype":{"$ref":"#/components/schemas/maas.Datatype"},
  "data":{"type":"array","items":{},"description":"nested as the shape, or flat"}}},
"maas.InferRequest":{"type":"object","required":["inputs"],"properties":{
  "id":{"type":"string","maxLength":256},
  "inputs":{"type":"array","items":{"$ref":"#/components/schemas/maas.Tensor"}},
  "parameters":{"type":"object","properties":{
    "timeout":{"type":["integer","string"],"description":"microseconds; 0 for none"},
    "priority":{"type":["integer","string"],"description":"1 first; 0 for the default"}}},
  "outputs":{"type":"array","items":{"type":"object","required":["name"],"properties":{
    "name":{"type":"string"}}}}}},
"maas.ModelConfig":{"type":"object","properties":{
  "name":{"type":"string"},"platform":{"type":"string"},"backend":{"type":"string"},
  "max_batch_size":{"type":"integer"},
  "input":{"type":"array","items":{"type":"object"}},
  "output":{"type":"array","items":{"type":"object"}},
  "instance_group":{"type":"array","items":{"type":"object"}},
  "dynamic_batching":{"type":"object"}}},
"maas.Statistics":{"type":"object","required":["model_stats"],"properties":{
  "model_stats":{"type":"array","items":{"type":"object","properties":{
    "name":{"type":"string"},"version":{"type":"string"},"last_inference":{"type":"integer"},
    "inference_count":{"type":"integer"},"execution_count":{"type":"integer"},
    "inference_stats":{"type":"object"},"batch_stats":{"type":"array"}}}}}},
"maas.GenerateRequest":{"type":"object","required":["text_input"],"properties":{
  "id":{"type":"string"},"text_input":{"type":"string"},"parameters":{"type":"object"}}},
"maas.Generation":{"type":"object","required":["model_name","model_version","text_output"],
  "properties":{"id":{"type":"string"},"model_name":{"type":"string"},
    "model_version":{"type":"string"},"text_output":{"type":"string"}}},
"maas.InferResponse":{"type":"object","required":["model_name","model_version","outputs"],
  "properties":{
    "model_name":{"type":"string"},"model_version":{"type":"string"},"id":{"type":"string"},
    "outputs":{"type":"array","items":{"$ref":"#/components/schemas/maas.Tensor"}}}}
)json";

constexpr std::string_view kResponses = R"json(
"maas.Live":{"description":"It does.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Live"}}}},
"maas.Ready":{"description":"It does.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Ready"}}}},
"maas.Server":{"description":"The server.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Server"}}}},
"maas.ModelList":{"description":"The names.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.ModelList"}}}},
"maas.RepositoryIndex":{"description":"The models.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.RepositoryIndex"}}}},
"maas.Model":{"description":"The model.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Model"}}}},
"maas.ModelReady":{"description":"It does.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.ModelReady"}}}},
"maas.ModelConfig":{"description":"The configuration.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.ModelConfig"}}}},
"maas.Statistics":{"description":"The counts.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Statistics"}}}},
"maas.Generation":{"description":"The text.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.Generation"}}}},
"maas.GenerationStream":{"description":"Events, each with a part of the text.","content":{
  "text/event-stream":{}}},
"maas.Done":{"description":"It is done."},
"maas.Inference":{"description":"The outputs.","content":{"application/json":{
  "schema":{"$ref":"#/components/schemas/maas.InferResponse"}}}},
"maas.Metrics":{"description":"The counters.","content":{"text/plain":{}}},
"maas.OpenApi":{"description":"An OpenAPI 3.1 document.","content":{"application/json":{}}},
"maas.Page":{"description":"A page.","content":{"text/html":{}}},
"maas.BadRequest":{"description":"The request cannot be understood.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.Forbidden":{"description":"The server does not do this for clients.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.NotAcceptable":{"description":"The answer is of no type that the client accepts.",
  "content":{"application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.NotFound":{"description":"There is no such model or version.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.TooLarge":{"description":"The request is too large.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.UnsupportedMediaType":{"description":"The body is not JSON.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.Unprocessable":{"description":"The body does not fit the schema.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.ValidationError"}}}},
"maas.InternalError":{"description":"The model or its handler failed.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.Unavailable":{"description":"The server is overloaded, starting or shutting down.",
  "content":{"application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}},
"maas.DeadlineExceeded":{"description":"The answer took too long.","content":{
  "application/json":{"schema":{"$ref":"#/components/schemas/maas.Error"}}}}
)json";

constexpr std::string_view kParameters = R"json(
"maas.Timeout":{"name":"X-Request-Timeout-Ms","in":"header",
  "description":"Answer within this many milliseconds or not at all.",
  "schema":{"type":"number","minimum":0.001,"maximum":86400000}},
"maas.Priority":{"name":"X-Request-Priority","in":"header",
  "description":"Of requests that wait, those of a lower number go first: 1 before 10.",
  "schema":{"type":"integer","minimum":0,"default":5}}
)json";

constexpr std::string_view kUrgency = R"({"$ref":"#/components/parameters/maas.Timeout"},)"
                                      R"({"$ref":"#/components/parameters/maas.Priority"})";

}  // namespace

std::string_view own_parameters() noexcept {
  return kParameters;
}

std::string_view urgency_parameters() noexcept {
  return kUrgency;
}

std::string_view own_schemas() noexcept {
  return kSchemas;
}

std::string_view own_responses() noexcept {
  return kResponses;
}

std::string_view error_response(std::string_view status) noexcept {
  struct Row {
    std::string_view status;
    std::string_view name;
  };
  constexpr Row kRows[] = {
      {"400", "maas.BadRequest"},    {"403", "maas.Forbidden"},
      {"404", "maas.NotFound"},      {"406", "maas.NotAcceptable"},
      {"413", "maas.TooLarge"},      {"415", "maas.UnsupportedMediaType"},
      {"422", "maas.Unprocessable"}, {"500", "maas.InternalError"},
      {"503", "maas.Unavailable"},   {"504", "maas.DeadlineExceeded"},
  };
  for (const Row& row : kRows) {
    if (row.status == status) {
      return row.name;
    }
  }
  return {};
}

}  // namespace maas
