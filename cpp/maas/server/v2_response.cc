// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_response.h"

#include "maas/base/error.h"
#include "maas/server/json_writer.h"
#include "maas/server/tensor_writer.h"

namespace maas {
namespace {

void write_output(const TensorSpec& spec, const Tensor& tensor, std::string& body) {
  body += R"({"name":)";
  append_json_string(body, spec.name);
  body += R"(,"shape":)";
  append_json_shape(body, tensor.shape());
  body += R"(,"datatype":")";
  body += protocol_name(tensor.dtype());
  body += R"(","data":[)";
  const WriteFault fault = append_values(body, tensor, 0, tensor.elements());
  if (fault != WriteFault::kNone) {
    throw Error(ErrorCode::kInvalidArgument,
                "output '" + spec.name + "' " + std::string(explain(fault)));
  }
  body += "]}";
}

void write_specs(const Signature& signature,
                 const std::vector<TensorSpec>& specs,
                 std::string& body) {
  body += '[';
  for (const TensorSpec& spec : specs) {
    body += &spec == specs.data() ? R"({"name":)" : R"(,{"name":)";
    append_json_string(body, spec.name);
    body += R"(,"datatype":")";
    body += protocol_name(spec.dtype);
    body += R"(","shape":)";
    append_json_shape(body, signature.wire_shape(spec));
    body += '}';
  }
  body += ']';
}

}  // namespace

void write_infer_response(const ServedModel& model,
                          const InferOptions& options,
                          const std::vector<Tensor>& outputs,
                          std::string& body) {
  const Signature& signature = model.model().signature();
  const std::size_t count = options.outputs.empty() ? outputs.size() : options.outputs.size();
  body += R"({"model_name":)";
  append_json_string(body, model.name());
  body += R"(,"model_version":")";
  append_json_number(body, model.version());
  body += '"';
  if (!options.id.empty()) {
    body += R"(,"id":)";
    body += options.id;
  }
  body += R"(,"outputs":[)";
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = options.outputs.empty() ? i : options.outputs[i];
    body += i != 0 ? "," : "";
    write_output(signature.outputs.at(index), outputs.at(index), body);
  }
  body += "]}";
}

void write_model_metadata(const ServedModel& model, const Catalog& catalog, std::string& body) {
  const Signature& signature = model.model().signature();
  body += R"({"name":)";
  append_json_string(body, model.name());
  body += R"(,"versions":)";
  char separator = '[';
  for (const auto& other : catalog.models) {
    if (other->name() == model.name()) {
      body += separator;
      body += '"';
      append_json_number(body, other->version());
      body += '"';
      separator = ',';
    }
  }
  body += R"(],"platform":)";
  append_json_string(body, model.model().platform());
  body += R"(,"inputs":)";
  write_specs(signature, signature.inputs, body);
  body += R"(,"outputs":)";
  write_specs(signature, signature.outputs, body);
  body += '}';
}

}  // namespace maas
