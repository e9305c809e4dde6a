// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_parameters.h"

#include <cstdint>
#include <string>

#include "maas/server/protobuf_reader.h"

namespace maas {
namespace {

// A value as JSON would have it, which is what the readers of parameters take. Floats and lists
// have no use here: they become what no parameter may be.
struct Parameter {
  std::string_view name{};
  std::string value = "null";
};

// An InferParameter, of which one field is there.
std::string read_value(std::string_view message) {
  std::string value = "null";
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1: value = field->as_varint() != 0 ? "true" : "false"; break;
      case 2: value = std::to_string(static_cast<std::int64_t>(field->as_varint())); break;
      case 3: value = field->as_text(); break;
      case 5: value = std::to_string(field->as_varint()); break;
      default: value = "a float"; break;
    }
  }
  return value;
}

Parameter read_entry(std::string_view entry) {
  Parameter parameter;
  ProtobufReader reader(entry);
  while (const auto field = reader.next()) {
    if (field->number == 1) {
      parameter.name = field->as_text();
    } else if (field->number == 2) {
      parameter.value = read_value(field->as_bytes());
    }
  }
  refuse_shared_memory(parameter.name);
  return parameter;
}

}  // namespace

void read_request_parameter(std::string_view entry, InferOptions& options) {
  const Parameter parameter = read_entry(entry);
  if (parameter.name == "timeout") {
    options.urgency.timeout = read_timeout_parameter(parameter.value);
  } else if (parameter.name == "priority") {
    options.urgency.priority = read_priority_parameter(parameter.value);
  }
}

void read_output_parameter(std::string_view entry, OutputChoice& output) {
  const Parameter parameter = read_entry(entry);
  if (parameter.name == "classification") {
    output.classes = read_classes_parameter(parameter.value);
  }
}

void read_input_parameter(std::string_view entry) {
  (void)read_entry(entry);
}

}  // namespace maas
