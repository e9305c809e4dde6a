// SPDX-License-Identifier: Apache-2.0
#include "maas/server/infer_options.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

#include "maas/base/error.h"
#include "maas/server/classification.h"
#include "maas/server/tensor_reader.h"

namespace maas {

namespace {

constexpr std::size_t kMaxId = 256;

void check(const OutputChoice& output, bool binary, const TensorSpec& spec) {
  if (output.classes > 0 && !can_classify(spec.dtype)) {
    throw Error(ErrorCode::kInvalidArgument, "output '" + spec.name + "' is of " +
                                                 std::string(protocol_name(spec.dtype)) +
                                                 ", which cannot be classified");
  }
  if (output.classes == 0 && !binary && !has_json_form(spec.dtype)) {
    throw Error(ErrorCode::kInvalidArgument,
                "output '" + spec.name + "' is of " + std::string(protocol_name(spec.dtype)) +
                    ", which JSON cannot express; ask for it with \"binary_data\": true");
  }
}

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

}  // namespace

void set_id(std::string_view id, InferOptions& options) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; };
  if (id.size() > kMaxId || std::any_of(id.begin(), id.end(), is_control)) {
    fail("\"id\" must be at most 256 characters without control characters");
  }
  options.id = id;
}

void add_output(const OutputChoice& output, const Signature& signature, InferOptions& options) {
  const auto is_same = [&](const OutputChoice& other) { return other.index == output.index; };
  if (std::any_of(options.outputs.begin(), options.outputs.end(), is_same)) {
    fail("output '" + signature.outputs.at(output.index).name + "' is asked for twice");
  }
  options.outputs.push_back(output);
}

void refuse_shared_memory(std::string_view parameter) {
  if (parameter.starts_with("shared_memory_")) {
    fail("shared memory tensors are not supported; send \"data\" or binary data");
  }
}

std::int64_t read_classes_parameter(std::string_view json) {
  std::int64_t classes = 0;
  const char* const begin = json.data();
  const char* const end = begin + json.size();
  const auto [stop, error] = std::from_chars(begin, end, classes);
  if (stop != end || error != std::errc() || classes < 0) {
    fail("the parameter 'classification' must be a whole number, 0 or more");
  }
  return classes;
}

void require_inputs(const std::vector<Tensor>& inputs, const Signature& signature) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].is_absent() && !signature.inputs.at(i).optional) {
      fail("input '" + signature.inputs[i].name + "' is missing");
    }
  }
}

Tensor chosen_form(const OutputChoice& choice, const Signature& signature, const Tensor& output) {
  if (choice.classes == 0) {
    return output;
  }
  const TensorSpec& spec = signature.outputs.at(choice.index);
  const bool has_rows = signature.has_rows(spec) && output.shape().rank() > 0;
  return classify(output, has_rows, choice.classes, spec.labels);
}

void check_outputs(const InferOptions& options, const Signature& signature) {
  for (const OutputChoice& output : options.outputs) {
    check(output, output.binary.value_or(options.binary_output), signature.outputs[output.index]);
  }
  for (const TensorSpec& spec : signature.outputs) {
    if (options.outputs.empty()) {
      check({}, options.binary_output, spec);
    }
  }
}

}  // namespace maas
