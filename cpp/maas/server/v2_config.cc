// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_config.h"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "maas/server/json_writer.h"

namespace maas {
namespace {

std::string_view type_of(DType dtype) noexcept {
  return dtype == DType::kBytes ? "STRING" : protocol_name(dtype);
}

// Without the dimension of rows, which max_batch_size tells.
void write_dims(const Signature& signature, const TensorSpec& spec, std::string& body) {
  const Shape wire = signature.wire_shape(spec);
  const bool rows = signature.has_rows(spec) && spec.row;
  append_json_shape(body, rows ? wire.without_leading() : wire);
}

void write_tensors(const Signature& signature,
                   const std::vector<TensorSpec>& specs,
                   bool inputs,
                   std::string& body) {
  body += '[';
  for (const TensorSpec& spec : specs) {
    body += &spec == specs.data() ? R"({"name":)" : R"(,{"name":)";
    append_json_string(body, spec.name);
    body += R"(,"data_type":"TYPE_)";
    body += type_of(spec.dtype);
    body += R"(","dims":)";
    write_dims(signature, spec, body);
    body += R"(,"is_shape_tensor":)";
    body += spec.shape_tensor ? "true" : "false";
    if (inputs) {
      body += R"(,"format":"FORMAT_NONE","allow_ragged_batch":false,"optional":)";
      body += spec.optional ? "true" : "false";
    } else {
      body += R"(,"label_filename":"")";
    }
    body += '}';
  }
  body += ']';
}

void write_batching(const BatchOptions& options, std::string& body) {
  const auto delay = std::chrono::duration_cast<std::chrono::microseconds>(options.batch_timeout);
  body += R"(,"dynamic_batching":{"preferred_batch_size":[],"max_queue_delay_microseconds":)";
  append_json_number(body, delay.count());
  body += R"(,"preserve_ordering":false,"priority_levels":10,"default_priority_level":5)";
  body += R"(,"default_queue_policy":{"timeout_action":"REJECT","allow_timeout_override":true)";
  body += R"(,"default_timeout_microseconds":0,"max_queue_size":)";
  append_json_number(body, static_cast<std::int64_t>(options.max_queue_size));
  body += "}}";
}

}  // namespace

void write_model_config(const ServedModel& model, std::string& body) {
  const Signature& signature = model.model().signature();
  const BatchOptions& options = model.batcher().options();
  body += R"({"name":)";
  append_json_string(body, model.name());
  body += R"(,"platform":)";
  append_json_string(body, model.model().platform());
  body += R"(,"backend":)";
  append_json_string(body, model.model().platform());
  body += R"(,"version_policy":{"specific":{"versions":[)";
  append_json_number(body, model.version());
  body += R"(]}},"max_batch_size":)";
  append_json_number(body, signature.batch_dim ? options.max_batch_size : 0);
  body += R"(,"input":)";
  write_tensors(signature, signature.inputs, true, body);
  body += R"(,"output":)";
  write_tensors(signature, signature.outputs, false, body);
  body += R"(,"instance_group":[{"name":)";
  append_json_string(body, model.name() + "_0");
  body += R"(,"kind":"KIND_CPU","count":)";
  append_json_number(body, options.executors);
  body += "}]";
  if (signature.batch_dim && options.max_batch_size > 1) {
    write_batching(options, body);
  }
  body += R"(,"optimization":{},"parameters":{},"model_transaction_policy":{"decoupled":false}})";
}

}  // namespace maas
