// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/padding.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "maas/base/error.h"

namespace maas {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::kInvalidArgument, sentence);
}

std::string names_of(const std::vector<TensorSpec>& specs) {
  std::string names;
  for (const TensorSpec& spec : specs) {
    names += (names.empty() ? "" : ", ") + spec.name;
  }
  return names;
}

std::size_t input_named(const Signature& signature, const std::string& name, const char* option) {
  const auto index = signature.find_input(name);
  if (!index) {
    refuse(std::string(option) + " names '" + name +
           "', which is no input; the inputs are: " + names_of(signature.inputs));
  }
  return *index;
}

std::size_t first_variable(const Shape& row) {
  const auto dims = row.dims();
  return static_cast<std::size_t>(std::find(dims.begin(), dims.end(), -1) - dims.begin());
}

// The axis, behind the rows, of the one dimension that may vary.
std::size_t padded_axis(const Signature& signature, const TensorSpec& spec, const char* option) {
  const auto variable =
      spec.row ? std::count(spec.row->dims().begin(), spec.row->dims().end(), -1) : 0;
  if (variable != 1 || !signature.has_rows(spec)) {
    refuse(std::string(option) + " names '" + spec.name +
           "', which must be declared with exactly one dimension of -1: the one that is padded");
  }
  return 1 + first_variable(*spec.row);
}

}  // namespace

Padding::Padding(const Signature& signature, const BatchOptions& options)
    : signature_(signature),
      enabled_(!options.pad.empty()),
      inputs_(signature.inputs.size()),
      outputs_(signature.outputs.size()) {
  if (!enabled_) {
    return;
  }
  for (const PadInput& pad : options.pad) {
    const std::size_t index = input_named(signature, pad.input, "pad");
    const TensorSpec& spec = signature.inputs[index];
    inputs_[index] = {padded_axis(signature, spec, "pad"), element_of(spec.dtype, pad.value)};
  }
  if (!options.mask.empty()) {
    mask_ = input_named(signature, options.mask, "mask");
    const TensorSpec& spec = signature.inputs[*mask_];
    inputs_[*mask_] = {padded_axis(signature, spec, "mask"), element_of(spec.dtype, 0)};
    one_ = element_of(spec.dtype, 1);
  }
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const TensorSpec& spec = signature.outputs[i];
    if (!spec.row) {
      refuse("pad needs declared outputs: only their shapes tell which of them are cut back");
    }
    if (const std::size_t axis = first_variable(*spec.row); axis < spec.row->rank()) {
      outputs_[i] = 1 + axis;
    }
  }
}

Result<std::int64_t> Padding::prepare(std::vector<Tensor>& inputs, std::int64_t rows) const {
  if (!enabled_) {
    return std::int64_t{0};
  }
  std::optional<std::size_t> first;
  std::int64_t length = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs_[i] || inputs[i].is_absent()) {
      continue;
    }
    const std::int64_t own = inputs[i].shape()[inputs_[i]->axis];
    if (first && own != length) {
      return Error(ErrorCode::kInvalidArgument,
                   "inputs '" + signature_.inputs[*first].name + "' and '" +
                       signature_.inputs[i].name + "' differ in length: " + std::to_string(length) +
                       " and " + std::to_string(own));
    }
    first = first.value_or(i);
    length = own;
  }
  if (mask_ && inputs[*mask_].is_absent()) {
    inputs[*mask_] = ones(rows, length);
  }
  return length;
}

Tensor Padding::ones(std::int64_t rows, std::int64_t length) const {
  const TensorSpec& spec = signature_.inputs[*mask_];
  Shape shape = signature_.wire_shape(spec);
  shape.set(0, rows);
  shape.set(inputs_[*mask_]->axis, length);
  Tensor mask = Tensor::allocate(spec.dtype, shape);
  auto* to = static_cast<std::byte*>(mask.mutable_data());
  for (std::size_t i = 0; i < mask.elements(); ++i) {
    std::memcpy(to + i * one_.size, one_.bytes.data(), one_.size);
  }
  return mask;
}

Tensor Padding::stack(std::size_t input, std::span<const Tensor> parts, std::int64_t length) const {
  return inputs_[input] ? stack_padded(parts, inputs_[input]->axis, length, inputs_[input]->fill)
                        : concat_rows(parts);
}

Tensor Padding::cut(std::size_t output,
                    Tensor rows,
                    std::int64_t padded,
                    std::int64_t length) const {
  const auto axis = outputs_[output];
  // An output may vary for another reason than the padding; then it does not have its length.
  if (!enabled_ || !axis || length == padded || rows.shape()[*axis] != padded) {
    return rows;
  }
  return narrow(rows, *axis, length);
}

}  // namespace maas
