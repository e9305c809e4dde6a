// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_fields.h"

#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/names.h"
#include "maas/server/tensor_reader.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

std::string_view type_name(TensorProblem::Kind kind) noexcept {
  switch (kind) {
    case TensorProblem::Kind::kShape: return "tensor_shape";
    case TensorProblem::Kind::kRange: return "tensor_range";
    case TensorProblem::Kind::kType:
    case TensorProblem::Kind::kSize: break;
  }
  return "tensor_type";
}

Tensor text_tensor(std::string_view text) {
  Tensor tensor = Tensor::allocate(DType::kBytes, Shape{1});
  tensor.mutable_values<std::string>().front() = text;
  return tensor;
}

}  // namespace

RequestFields::RequestFields(const EndpointSpec& endpoint,
                             std::size_t max_bytes,
                             std::vector<Tensor>& inputs,
                             std::string_view place)
    : endpoint_(endpoint),
      signature_(endpoint.model->model().signature()),
      inputs_(inputs),
      room_(max_bytes),
      problems_(place) {
  inputs_.clear();
  inputs_.resize(endpoint.fields.size());
}

std::optional<std::size_t> RequestFields::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < endpoint_.fields.size(); ++i) {
    if (endpoint_.fields[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

// False when it was seen before.
bool RequestFields::see(std::size_t index) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << index;
  return (std::exchange(seen_, seen_ | bit) & bit) == 0;
}

void RequestFields::add_member(std::string_view key, JsonReader& json) {
  const auto index = find(key);
  if (!index) {
    problems_.add(key, "is no field of this endpoint", "extra_forbidden");
    json.skip();
    return;
  }
  if (!see(*index)) {
    throw Error(ErrorCode::kInvalidArgument,
                "the key " + in_quotes(key) + " appears twice in the body");
  }
  if (endpoint_.fields[*index].dtype) {
    read_tensor_field(*index, json);
  } else {
    inputs_[*index] = text_tensor(json.skip());
  }
}

void RequestFields::add_part(std::string_view name, const FieldPart& part) {
  const auto index = find(name);
  if (!index) {
    problems_.add(name, "is no field of this endpoint", "extra_forbidden");
    return;
  }
  const bool first = see(*index);
  if (endpoint_.fields[*index].dtype) {
    if (first) {
      read_tensor_part(*index, part.data);
    } else {
      problems_.add(name, "is given twice", "repeated");
    }
  } else if (part.form != FieldPart::Form::kFile && !is_utf8(part.data)) {
    problems_.add(name, "must be UTF-8 text, or a file with a filename", "string_unicode");
  } else {
    if (first) {
      inputs_[*index] = text_tensor("");
    }
    append_part(inputs_[*index].mutable_values<std::string>().front(), part);
  }
}

void RequestFields::finish() {
  for (std::size_t i = 0; i < endpoint_.fields.size(); ++i) {
    if ((seen_ >> i & 1U) != 0) {
      continue;
    }
    if (endpoint_.fields[i].required) {
      problems_.add(endpoint_.fields[i].name, "is required", "missing");
    } else {
      inputs_[i] = text_tensor("");
    }
  }
  problems_.throw_if_any();
  if (inputs_.size() < signature_.inputs.size()) {
    spread();
  }
}

// Inputs without a field stay absent; the others are in the same order.
void RequestFields::spread() {
  std::vector<Tensor> all(signature_.inputs.size());
  std::size_t field = 0;
  for (std::size_t i = 0; i < all.size() && field < endpoint_.fields.size(); ++i) {
    if (signature_.inputs[i].name == endpoint_.fields[field].name) {
      all[i] = std::move(inputs_[field++]);
    }
  }
  inputs_ = std::move(all);
}

void RequestFields::read_tensor_field(std::size_t index, JsonReader& json) {
  const FieldSpec& field = endpoint_.fields[index];
  Tensor row;
  const auto problem = read_tensor(json, {*field.dtype, field.row, false, room_}, row);
  if (!problem) {
    room_ -= row.byte_size();
    const auto input = signature_.find_input(field.name);
    const bool rows = input ? signature_.has_rows(signature_.inputs[*input]) : signature_.batch_dim;
    inputs_[index] = rows ? row.reshaped(row.shape().with_leading(1)) : row;
  } else if (problem->kind == TensorProblem::Kind::kSize) {
    throw Error(ErrorCode::kTooLarge, "field '" + field.name + "' " + problem->message);
  } else {
    problems_.add(field.name, problem->message, type_name(problem->kind));
  }
}

// The text of a form is JSON where a tensor is wanted; a fault in it is the field's, not the
// body's.
void RequestFields::read_tensor_part(std::size_t index, std::string_view text) {
  try {
    JsonReader json(text);
    read_tensor_field(index, json);
    json.finish();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidArgument) {
      throw;
    }
    problems_.add(endpoint_.fields[index].name, "must be an array of numbers, as JSON",
                  "tensor_type");
  }
}

}  // namespace maas
