// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_response.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/json_writer.h"
#include "maas/server/tensor_reader.h"
#include "maas/server/tensor_writer.h"
#include "maas/tensor/cast.h"

namespace maas {
namespace {

void check(WriteFault fault, const OutputSpec& spec) {
  if (fault != WriteFault::kNone) {
    const std::string what = spec.field.empty() ? "the answer" : "field '" + spec.field + "'";
    throw Error(ErrorCode::kInvalidArgument, what + " " + std::string(explain(fault)));
  }
}

Tensor printable(const Tensor& tensor) {
  return has_json_form(tensor.dtype()) ? tensor : to_float32(tensor);
}

// What an operation cannot take comes from the model here, not from the client.
Tensor transform(const OutputSpec& spec, const Tensor& output, const Op::Lookup& find) {
  try {
    return apply_ops(spec.ops, output, find);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInternal, error.message());
  }
}

// The one row's own shape.
Shape row_shape(const EndpointSpec& endpoint, const Tensor& tensor) {
  const bool rows = endpoint.model->model().signature().batch_dim;
  return rows ? tensor.shape().without_leading() : tensor.shape();
}

void write_label(const OutputSpec& spec, std::int64_t index, std::string& body) {
  const auto at = static_cast<std::size_t>(index);
  if (at < spec.labels.size()) {
    append_json_string(body, spec.labels[at]);
  } else {
    append_json_number(body, index);
  }
}

// [{"label":...,"score":...}] of each row of the last dimension; an array of them where the answer
// has more dimensions than that.
void write_top_k(const OutputSpec& spec, const TopKResult& top, bool nested, std::string& body) {
  const Shape& shape = top.values.shape();
  const auto k = static_cast<std::size_t>(shape[shape.rank() - 1]);
  body += nested ? "[" : "";
  for (std::size_t i = 0; i < top.values.elements(); ++i) {
    body += i % k == 0 ? (i == 0 ? "[" : ",[") : ",";
    body += R"({"label":)";
    write_label(spec, top.indices.values<std::int64_t>()[i], body);
    body += R"(,"score":)";
    check(append_values(body, top.values, i, 1), spec);
    body += (i + 1) % k == 0 ? "}]" : "}";
  }
  body += nested ? "]" : "";
}

void write_output(const EndpointSpec& endpoint,
                  const OutputSpec& spec,
                  const Tensor& tensor,
                  std::string& body) {
  if (spec.render == Render::kTopK) {
    const bool nested = row_shape(endpoint, tensor).rank() > 1;
    write_top_k(spec, top_k(printable(tensor), spec.k), nested, body);
  } else {
    check(append_nested(body, printable(tensor), row_shape(endpoint, tensor)), spec);
  }
}

const Tensor* find_input(const Signature& signature,
                         const std::vector<Tensor>& inputs,
                         std::string_view name) {
  for (std::size_t i = 0; i < signature.inputs.size() && i < inputs.size(); ++i) {
    if (signature.inputs[i].name == name && !inputs[i].is_absent()) {
      return &inputs[i];
    }
  }
  return nullptr;
}

}  // namespace

void write_typed_response(const EndpointSpec& endpoint,
                          const std::vector<Tensor>& inputs,
                          const std::vector<Tensor>& outputs,
                          std::string& body) {
  const auto find = [&](std::string_view name) {
    return find_input(endpoint.model->model().signature(), inputs, name);
  };
  const bool bare = endpoint.outputs.size() == 1 && endpoint.outputs.front().field.empty();
  for (const OutputSpec& spec : endpoint.outputs) {
    if (!bare) {
      body += &spec == endpoint.outputs.data() ? '{' : ',';
      append_json_string(body, spec.field);
      body += ':';
    }
    write_output(endpoint, spec, transform(spec, outputs.at(spec.source), find), body);
  }
  body += bare ? "" : "}";
}

}  // namespace maas
