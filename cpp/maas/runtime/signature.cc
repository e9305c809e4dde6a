// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/signature.h"

#include <algorithm>

namespace maas {
namespace {

std::optional<std::size_t> find(const std::vector<TensorSpec>& specs,
                                std::string_view name) noexcept {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

Error invalid(const TensorSpec& spec, const std::string& problem) {
  return {ErrorCode::kInvalidArgument, "input '" + spec.name + "' " + problem};
}

}  // namespace

std::optional<std::size_t> Signature::find_input(std::string_view name) const noexcept {
  return find(inputs, name);
}

std::optional<std::size_t> Signature::find_output(std::string_view name) const noexcept {
  return find(outputs, name);
}

bool Signature::has_fixed_inputs() const noexcept {
  return std::all_of(inputs.begin(), inputs.end(), [](const TensorSpec& spec) {
    return spec.row && spec.row->elements() && spec.dtype != DType::kBytes && !spec.shape_tensor;
  });
}

Shape Signature::wire_shape(const TensorSpec& spec) const {
  if (!spec.row) {
    return Shape{-1};
  }
  return has_rows(spec) ? spec.row->with_leading(-1) : *spec.row;
}

namespace {

std::optional<Error> wrong_type(const Signature& signature,
                                const TensorSpec& spec,
                                const Tensor& input) {
  if (input.dtype() != spec.dtype) {
    return invalid(spec, "has datatype " + std::string(protocol_name(input.dtype())) +
                             ", the model wants " + std::string(protocol_name(spec.dtype)));
  }
  if (spec.row && !input.shape().fits(signature.wire_shape(spec))) {
    return invalid(spec, "has shape " + input.shape().to_string() + ", the model wants " +
                             signature.wire_shape(spec).to_string());
  }
  return std::nullopt;
}

// `rows` is what the inputs before this one have, -1 for none yet.
std::optional<Error> wrong_rows(const TensorSpec& spec, const Tensor& input, std::int64_t& rows) {
  if (input.shape().rank() == 0 || input.shape()[0] < 1) {
    return invalid(spec, "has no rows: its first dimension is the number of rows, 1 or more");
  }
  if (rows != -1 && input.shape()[0] != rows) {
    return invalid(spec, "has " + std::to_string(input.shape()[0]) + " rows, another input has " +
                             std::to_string(rows));
  }
  rows = input.shape()[0];
  return std::nullopt;
}

}  // namespace

Result<std::int64_t> check_inputs(const Signature& signature, const std::vector<Tensor>& inputs) {
  if (inputs.size() != signature.inputs.size()) {
    return Error(ErrorCode::kInvalidArgument, "the model takes " +
                                                  std::to_string(signature.inputs.size()) +
                                                  " inputs, not " + std::to_string(inputs.size()));
  }
  std::int64_t rows = -1;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& spec = signature.inputs[i];
    if (inputs[i].is_absent() && spec.optional) {
      continue;
    }
    if (inputs[i].is_absent()) {
      return invalid(spec, "is missing");
    }
    if (const auto wrong = wrong_type(signature, spec, inputs[i])) {
      return *wrong;
    }
    const bool has_rows = signature.has_rows(spec);
    if (const auto wrong = has_rows ? wrong_rows(spec, inputs[i], rows) : std::nullopt) {
      return *wrong;
    }
  }
  return std::max<std::int64_t>(rows, 1);
}

}  // namespace maas
