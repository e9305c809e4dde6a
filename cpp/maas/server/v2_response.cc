// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_response.h"

#include <cstddef>
#include <cstdint>

#include "maas/base/error.h"
#include "maas/server/binary_tensor.h"
#include "maas/server/inference_header.h"
#include "maas/server/json_writer.h"
#include "maas/server/tensor_writer.h"

namespace maas {
namespace {

constexpr std::size_t kFewBytes = std::size_t{8} << 10U;  // are copied behind the JSON

class InferResponse {
 public:
  InferResponse(const ServedModel& model, HttpResponse& response)
      : signature_(model.model().signature()), response_(response), body_(response.body) {}

  void write_output(const OutputChoice& choice, const Tensor& output) {
    const TensorSpec& spec = signature_.outputs.at(choice.index);
    write(spec, chosen_form(choice, signature_, output), choice);
  }
  void finish() {
    if (!binary_) {
      return;
    }
    response_.content_type = "application/octet-stream";
    response_.headers += kInferenceHeader;
    response_.headers += ": ";
    append_json_number(response_.headers, static_cast<std::int64_t>(body_.size()));
    response_.headers += "\r\n";
    if (response_.body_size() - body_.size() <= kFewBytes) {
      for (const Tensor& tensor : response_.tensors) {
        body_.append(static_cast<const char*>(tensor.data()), tensor.byte_size());
      }
      response_.tensors.clear();
    }
  }

 private:
  void write(const TensorSpec& spec, const Tensor& tensor, const OutputChoice& choice) {
    body_ += R"({"name":)";
    append_json_string(body_, spec.name);
    body_ += R"(,"shape":)";
    append_json_shape(body_, tensor.shape());
    body_ += R"(,"datatype":")";
    body_ += protocol_name(tensor.dtype());
    if (choice.binary.value_or(false)) {
      binary_ = true;
      response_.tensors.push_back(binary_form(tensor));
      body_ += R"(","parameters":{"binary_data_size":)";
      append_json_number(body_, static_cast<std::int64_t>(response_.tensors.back().byte_size()));
      body_ += "}}";
      return;
    }
    body_ += R"(","data":[)";
    const WriteFault fault = append_values(body_, tensor, 0, tensor.elements());
    if (fault != WriteFault::kNone) {
      throw Error(ErrorCode::kInvalidArgument, "output '" + spec.name + "' " +
                                                   std::string(explain(fault)) +
                                                   "; ask for it with \"binary_data\": true");
    }
    body_ += "]}";
  }

  const Signature& signature_;
  HttpResponse& response_;
  std::string& body_;
  bool binary_ = false;
};

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
                          HttpResponse& response) {
  std::string& body = response.body;
  body += R"({"model_name":)";
  append_json_string(body, model.name());
  body += R"(,"model_version":")";
  append_json_number(body, model.version());
  body += '"';
  if (options.id) {
    body += R"(,"id":)";
    append_json_string(body, *options.id);
  }
  body += R"(,"outputs":[)";
  InferResponse writer(model, response);
  const std::size_t count = options.outputs.empty() ? outputs.size() : options.outputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    OutputChoice choice = options.outputs.empty() ? OutputChoice{i} : options.outputs[i];
    choice.binary = choice.binary.value_or(options.binary_output);
    body += i != 0 ? "," : "";
    writer.write_output(choice, outputs.at(choice.index));
  }
  body += "]}";
  writer.finish();
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
