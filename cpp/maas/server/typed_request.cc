// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_request.h"

#include <cstdint>
#include <optional>

#include "maas/base/error.h"
#include "maas/server/json_reader.h"
#include "maas/server/json_writer.h"
#include "maas/server/names.h"
#include "maas/server/tensor_reader.h"

namespace maas {
namespace {

constexpr std::size_t kMaxProblems = 32;  // that are listed; a body may have a million
constexpr std::size_t kMaxNameInProblem = 64;

void append_problem(std::string& out,
                    std::optional<std::string_view> field,
                    std::string_view message,
                    std::string_view type) {
  out += out.empty() ? "[" : ",";
  out += R"({"loc":["body")";
  if (field) {
    out += ',';
    append_json_string(out, field->substr(0, kMaxNameInProblem));
  }
  out += R"(],"msg":)";
  append_json_string(out, message);
  out += R"(,"type":)";
  append_json_string(out, type);
  out += '}';
}

class Problems {
 public:
  void add(std::string_view field, std::string_view message, std::string_view type) {
    if (count_++ < kMaxProblems) {
      append_problem(detail_, field, message, type);
    }
  }
  void throw_if_any() const {
    if (count_ != 0) {
      throw Error(ErrorCode::kUnprocessable, "the body does not fit the endpoint's fields",
                  detail_ + "]");
    }
  }

 private:
  std::size_t count_ = 0;
  std::string detail_;
};

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

class FieldsReader {
 public:
  FieldsReader(std::string_view body, const EndpointSpec& endpoint, std::size_t max_bytes)
      : json_(body),
        fields_(endpoint.fields),
        signature_(endpoint.model->model().signature()),
        room_(max_bytes) {}

  void read(std::vector<Tensor>& inputs);

 private:
  void read_member(std::string_view key, std::vector<Tensor>& inputs);
  void fill_absent(std::vector<Tensor>& inputs);
  void spread(std::vector<Tensor>& inputs) const;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
  void read_field(const FieldSpec& field, Tensor& input);

  JsonReader json_;
  const std::vector<FieldSpec>& fields_;
  const Signature& signature_;
  std::size_t room_;        // bytes of tensors that may still be made
  std::uint64_t seen_ = 0;  // one bit per field
  Problems problems_;
};

std::optional<std::size_t> FieldsReader::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) {
      return i;
    }
  }
  return std::nullopt;
}

void FieldsReader::read(std::vector<Tensor>& inputs) {
  inputs.clear();
  inputs.resize(fields_.size());
  if (json_.type() != JsonType::kObject) {
    json_.skip();
    json_.finish();
    throw Error(ErrorCode::kUnprocessable, "the body must be a JSON object",
                body_problem("must be an object with a key for each field", "object_type"));
  }
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    read_member(*key, inputs);
  }
  json_.finish();
  fill_absent(inputs);
  problems_.throw_if_any();
  if (fields_.size() < signature_.inputs.size()) {
    spread(inputs);
  }
}

// Inputs without a field stay absent; the others are in the same order.
void FieldsReader::spread(std::vector<Tensor>& inputs) const {
  std::vector<Tensor> all(signature_.inputs.size());
  std::size_t field = 0;
  for (std::size_t i = 0; i < all.size() && field < fields_.size(); ++i) {
    if (signature_.inputs[i].name == fields_[field].name) {
      all[i] = std::move(inputs[field++]);
    }
  }
  inputs = std::move(all);
}

void FieldsReader::read_member(std::string_view key, std::vector<Tensor>& inputs) {
  const auto index = find(key);
  if (!index) {
    problems_.add(key, "is no field of this endpoint", "extra_forbidden");
    json_.skip();
    return;
  }
  const std::uint64_t bit = std::uint64_t{1} << *index;
  if ((seen_ & bit) != 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "the key " + in_quotes(key) + " appears twice in the body");
  }
  seen_ |= bit;
  read_field(fields_[*index], inputs[*index]);
}

void FieldsReader::fill_absent(std::vector<Tensor>& inputs) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if ((seen_ >> i & 1U) != 0) {
      continue;
    }
    if (fields_[i].required) {
      problems_.add(fields_[i].name, "is required", "missing");
    } else {
      inputs[i] = text_tensor("");
    }
  }
}

void FieldsReader::read_field(const FieldSpec& field, Tensor& input) {
  if (!field.dtype) {
    input = text_tensor(json_.skip());
    return;
  }
  Tensor row;
  const auto problem = read_tensor(json_, {*field.dtype, field.row, false, room_}, row);
  if (!problem) {
    room_ -= row.byte_size();
    const auto index = signature_.find_input(field.name);
    const bool rows = index ? signature_.has_rows(signature_.inputs[*index]) : signature_.batch_dim;
    input = rows ? row.reshaped(row.shape().with_leading(1)) : row;
  } else if (problem->kind == TensorProblem::Kind::kSize) {
    throw Error(ErrorCode::kTooLarge, "field '" + field.name + "' " + problem->message);
  } else {
    problems_.add(field.name, problem->message, type_name(problem->kind));
  }
}

}  // namespace

void read_typed_request(std::string_view body,
                        const EndpointSpec& endpoint,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs) {
  FieldsReader(body, endpoint, max_bytes).read(inputs);
}

std::string body_problem(std::string_view message, std::string_view type) {
  std::string detail;
  append_problem(detail, std::nullopt, message, type);
  return detail + "]";
}

}  // namespace maas
