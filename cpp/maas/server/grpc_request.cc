// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_request.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "maas/base/error.h"
#include "maas/server/binary_tensor.h"
#include "maas/server/grpc_contents.h"
#include "maas/server/grpc_parameters.h"
#include "maas/server/names.h"
#include "maas/server/protobuf_reader.h"

namespace maas {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

// An InferInputTensor, not looked into any further.
struct Input {
  std::string_view name{};
  std::string_view datatype{};
  Shape shape{};
  std::optional<std::string_view> contents{};
};

void add_dimension(std::uint64_t bits, Shape& shape) {
  const auto size = static_cast<std::int64_t>(bits);
  if (size < 0) {
    fail("a shape must hold whole numbers, 0 or more");
  }
  if (shape.rank() == Shape::kMaxRank) {
    fail("a shape has more than 8 dimensions");
  }
  shape.push_back(size);
}

void add_dimensions(const ProtobufField& field, Shape& shape) {
  if (field.type == WireType::kVarint) {
    return add_dimension(field.value, shape);
  }
  for (std::string_view rest = field.as_bytes(); !rest.empty();) {
    add_dimension(take_varint(rest), shape);
  }
}

void set_contents(std::string_view contents, Input& input) {
  if (input.contents) {
    fail("an input has its contents twice");
  }
  input.contents = contents;
}

Input read_input(std::string_view message) {
  Input input;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1: input.name = field->as_text(); break;
      case 2: input.datatype = field->as_text(); break;
      case 3: add_dimensions(*field, input.shape); break;
      case 4: read_input_parameter(field->as_bytes()); break;
      case 5: set_contents(field->as_bytes(), input); break;
      default: break;
    }
  }
  return input;
}

OutputChoice read_output(std::string_view message, const Signature& signature) {
  std::string_view name;
  OutputChoice choice;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) {
      name = field->as_text();
    } else if (field->number == 2) {
      read_output_parameter(field->as_bytes(), choice);
    }
  }
  const auto index = signature.find_output(name);
  if (!index) {
    fail("the model has no output " + in_quotes(name));
  }
  choice.index = *index;
  return choice;
}

// The fields of the request that are looked into only when all of them are known. None has more
// entries than the model takes: a message of many millions of empty ones costs no memory.
struct Parts {
  std::vector<std::string_view> inputs{};
  std::vector<std::string_view> raw{};
};

void add_part(std::string_view part, std::size_t most, std::vector<std::string_view>& parts) {
  if (parts.size() == most) {
    fail("the request has more inputs than the model, which takes " + std::to_string(most));
  }
  parts.push_back(part);
}

Parts read_parts(std::string_view message, const Signature& signature, InferOptions& options) {
  Parts parts;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 3: set_id(field->as_text(), options); break;
      case 4: read_request_parameter(field->as_bytes(), options); break;
      case 5: add_part(field->as_bytes(), signature.inputs.size(), parts.inputs); break;
      case 6: add_output(read_output(field->as_bytes(), signature), signature, options); break;
      case 7: add_part(field->as_bytes(), signature.inputs.size(), parts.raw); break;
      default: break;
    }
  }
  return parts;
}

DType datatype_of(const Input& input) {
  const auto dtype = dtype_from_protocol(input.datatype);
  if (!dtype) {
    fail("the datatype " + in_quotes(input.datatype) + " is unknown");
  }
  return *dtype;
}

std::size_t index_of(const Input& input, const Signature& signature) {
  const auto index = signature.find_input(input.name);
  if (!index) {
    fail("the model has no input " + in_quotes(input.name));
  }
  return *index;
}

// From `raw` if the request has that, else from the input's own contents.
Tensor read_tensor_of(const Input& input, const std::string_view* raw, std::size_t room) {
  const std::string name = "input '" + std::string(input.name) + "' ";
  const TensorForm form{datatype_of(input), input.shape, true, room};
  if (raw != nullptr && input.contents && !input.contents->empty()) {
    fail(name + "has contents besides raw_input_contents");
  }
  Tensor tensor;
  const auto problem = raw != nullptr ? read_binary_tensor(form, *raw, nullptr, tensor)
                                      : read_contents(form, input.contents.value_or(""), tensor);
  if (problem) {
    const bool too_large = problem->kind == TensorProblem::Kind::kSize;
    throw Error(too_large ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument,
                name + problem->message);
  }
  return tensor;
}

}  // namespace

GrpcTarget read_grpc_target(std::string_view message) {
  GrpcTarget target;
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) {
      target.model = field->as_text();
    } else if (field->number == 2) {
      target.version = field->as_text();
    }
  }
  if (target.model.empty()) {
    fail("the request has no model_name");
  }
  return target;
}

void read_grpc_request(std::string_view message,
                       const Signature& signature,
                       std::size_t max_bytes,
                       std::vector<Tensor>& inputs,
                       InferOptions& options) {
  const Parts parts = read_parts(message, signature, options);
  options.binary_output = true;
  if (!parts.raw.empty() && parts.raw.size() != parts.inputs.size()) {
    fail("raw_input_contents has " + std::to_string(parts.raw.size()) + " entries for " +
         std::to_string(parts.inputs.size()) +
         " inputs; it must have one for each, in their order");
  }
  inputs.clear();
  inputs.resize(signature.inputs.size());
  std::size_t room = max_bytes;
  for (std::size_t i = 0; i < parts.inputs.size(); ++i) {
    const Input input = read_input(parts.inputs[i]);
    Tensor& tensor = inputs[index_of(input, signature)];
    if (!tensor.is_absent()) {
      fail("input '" + std::string(input.name) + "' appears twice");
    }
    tensor = read_tensor_of(input, parts.raw.empty() ? nullptr : &parts.raw[i], room);
    room -= std::min(room, tensor.held_bytes());
  }
  require_inputs(inputs, signature);
}

}  // namespace maas
