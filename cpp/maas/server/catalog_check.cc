// SPDX-License-Identifier: Apache-2.0
#include "maas/server/catalog_check.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/json_reader.h"
#include "maas/server/names.h"
#include "maas/server/routes.h"
#include "maas/server/tensor_reader.h"

namespace maas {
namespace {

constexpr std::size_t kMaxFields = 64;  // typed_request.cc keeps one bit for each

void require(bool holds, const std::string& message) {
  if (!holds) {
    throw Error(ErrorCode::kInvalidArgument, message);
  }
}

bool is_path_character(char c) noexcept {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("/-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

void check_path(std::string_view path) {
  require(path.starts_with('/') && std::all_of(path.begin(), path.end(), is_path_character),
          "the path " + in_quotes(path) +
              " is not valid: it begins with '/' and has letters, digits and -._~!$&'()*+,;=:@");
  const bool own = path.starts_with("/v2/") ||
                   std::any_of(routes().begin(), routes().end(),
                               [&](const Route& route) { return route.path == path; });
  if (own) {
    throw Error(ErrorCode::kAlreadyExists,
                "the path " + in_quotes(path) + " is the server's own; give the endpoint another");
  }
}

void check_json(const std::string& text, const std::string& what) {
  try {
    JsonReader json(text);
    require(json.type() == JsonType::kObject, "it must be an object");
    json.skip();
    json.finish();
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidArgument, what + ": " + error.message());
  }
}

void check_field(const EndpointSpec& endpoint, const FieldSpec& field) {
  const std::string what = "field '" + field.name + "' of " + endpoint.path;
  require(!field.dtype || has_json_form(*field.dtype),
          what + " is a 16-bit float, which JSON cannot express; declare float32");
  require(!field.dtype || field.required, what + " is a tensor and must be required");
  require(!field.dtype || field.media.empty(), what + " is a tensor and takes no media");
  require(field.row.rank() < Shape::kMaxRank, what + " has more than 7 dimensions");
  const auto same = [&](const FieldSpec& other) { return other.name == field.name; };
  require(std::count_if(endpoint.fields.begin(), endpoint.fields.end(), same) == 1,
          what + " is declared twice");
}

void check_native(const EndpointSpec& endpoint) {
  const Signature& signature = endpoint.model->model().signature();
  const std::string& path = endpoint.path;
  std::size_t fields = 0;
  for (const TensorSpec& input : signature.inputs) {
    const bool given =
        fields < endpoint.fields.size() && endpoint.fields[fields].name == input.name;
    require(given || input.optional,
            path + " must have a field for each input of its model, in their order: '" +
                input.name + "' has none");
    fields += given ? 1 : 0;
  }
  require(fields == endpoint.fields.size(), path + " has a field that is no input of its model");
  require(!endpoint.outputs.empty(), path + " must have an output");
  for (const FieldSpec& field : endpoint.fields) {
    require(field.dtype.has_value(), path + " takes tensors alone: field '" + field.name + "'");
  }
  for (const OutputSpec& output : endpoint.outputs) {
    require(output.source < signature.outputs.size(), path + " has an output the model lacks");
    require(!output.field.empty() || endpoint.outputs.size() == 1,
            path + " has several outputs, so each needs a field name");
    require(output.render != Render::kTopK || output.k >= 1, path + " must have a k of 1 or more");
  }
}

void check_endpoint(const EndpointSpec& endpoint) {
  check_path(endpoint.path);
  require(endpoint.model != nullptr, endpoint.path + " has no model");
  require(endpoint.fields.size() <= kMaxFields, endpoint.path + " has more than 64 fields");
  for (const FieldSpec& field : endpoint.fields) {
    check_field(endpoint, field);
  }
  if (endpoint.native) {
    check_native(endpoint);
  } else if (!endpoint.streams) {
    require(endpoint.model->model().signature().outputs.size() == 2,
            endpoint.path + " needs a model that answers with body and content type");
  }
  if (!endpoint.operation.empty()) {
    check_json(endpoint.operation, "the OpenAPI operation of " + endpoint.path);
  }
}

}  // namespace

void check_catalog(const Catalog& catalog) {
  for (const auto& model : catalog.models) {
    require(is_model_name(model->name()),
            "the model name " + in_quotes(model->name()) +
                " is not valid: it begins with a letter or digit and has at most 128 letters, "
                "digits, '.', '_' and '-'");
  }
  for (const EndpointSpec& endpoint : catalog.endpoints) {
    check_endpoint(endpoint);
  }
  check_json(catalog.components, "the OpenAPI components");
}

}  // namespace maas
