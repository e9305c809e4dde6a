// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/binary_tensor.h"
#include "maas/server/inference_header.h"
#include "maas/server/json_reader.h"
#include "maas/server/names.h"
#include "maas/server/raw_request.h"
#include "maas/server/tensor_reader.h"
#include "maas/server/v2_parameters.h"

namespace maas {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

// A key may come once. Keys that nobody knows are skipped unseen, as the protocol asks.
void claim(bool& seen, std::string_view key) {
  if (seen) {
    fail("the key " + in_quotes(key) + " appears twice in one object");
  }
  seen = true;
}

void expect(JsonReader& json, JsonType type, std::string_view what) {
  if (json.type() != type) {
    fail(std::string(what) + (type == JsonType::kArray    ? " must be an array"
                              : type == JsonType::kObject ? " must be an object"
                                                          : " must be a string"));
  }
}

// One element of "inputs" or "outputs", whose keys come in any order.
struct Item {
  bool named = false;
  bool shaped = false;
  bool typed = false;
  std::size_t index = 0;  // in the signature
  Shape shape;
  DType dtype = DType::kFloat32;
  std::string_view data;  // its text, when it comes before what is needed to read it
  std::optional<std::size_t> binary_size;
  std::optional<Tensor> tensor;
};

class RequestReader {
 public:
  RequestReader(const InferBody& body, const Signature& signature, std::size_t max_bytes)
      : body_(body),
        json_(body.json),
        rest_(body.tensors),
        signature_(signature),
        room_(max_bytes) {}

  void read(std::vector<Tensor>& inputs, InferOptions& options);

 private:
  void read_inputs(std::vector<Tensor>& inputs);
  Item read_input();
  void read_input_key(std::string_view key, Item& item);
  void finish_input(Item& item);
  void read_data(JsonReader& json, Item& item);
  void take_binary(Item& item);
  void refuse_problem(const Item& item, const std::optional<TensorProblem>& problem) const;
  void read_outputs(InferOptions& options);
  OutputChoice read_output();
  [[nodiscard]] std::size_t output_named(std::string_view name) const;
  Shape read_shape();
  DType read_datatype();

  [[nodiscard]] const std::string& name(const Item& item) const {
    return signature_.inputs[item.index].name;
  }

  const InferBody& body_;
  JsonReader json_;
  std::string_view rest_;  // of the tensors behind the JSON
  const Signature& signature_;
  std::size_t room_;  // bytes of tensors that may still be made
};

void RequestReader::read(std::vector<Tensor>& inputs, InferOptions& options) {
  bool has_id = false;
  bool has_inputs = false;
  bool has_outputs = false;
  expect(json_, JsonType::kObject, "the request");
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    if (*key == "inputs") {
      claim(has_inputs, *key);
      read_inputs(inputs);
    } else if (*key == "id") {
      claim(has_id, *key);
      expect(json_, JsonType::kString, "\"id\"");
      set_id(json_.string(), options);
    } else if (*key == "outputs") {
      claim(has_outputs, *key);
      read_outputs(options);
    } else if (*key == "parameters") {
      read_request_parameters(json_, options);
    } else {
      json_.skip();
    }
  }
  json_.finish();
  if (!has_inputs) {
    fail("the request has no \"inputs\"");
  }
  if (!rest_.empty()) {
    fail(std::to_string(rest_.size()) +
         " bytes behind the JSON belong to no input; give each its "
         "\"binary_data_size\"");
  }
  require_inputs(inputs, signature_);
}

void RequestReader::read_inputs(std::vector<Tensor>& inputs) {
  inputs.clear();
  inputs.resize(signature_.inputs.size());
  expect(json_, JsonType::kArray, "\"inputs\"");
  json_.begin_array();
  while (json_.next_item()) {
    Item item = read_input();
    Tensor& input = inputs[item.index];
    if (!input.is_absent()) {
      fail("input '" + name(item) + "' appears twice");
    }
    input = *std::move(item.tensor);
  }
}

Item RequestReader::read_input() {
  Item item;
  expect(json_, JsonType::kObject, "each of \"inputs\"");
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    read_input_key(*key, item);
  }
  finish_input(item);
  return item;
}

void RequestReader::finish_input(Item& item) {
  if (!item.named) {
    fail("one of \"inputs\" has no \"name\"");
  }
  if (!item.shaped || !item.typed) {
    fail("input '" + name(item) + "' has no " + (item.shaped ? "\"datatype\"" : "\"shape\""));
  }
  const bool has_data = item.tensor || !item.data.empty();
  if (has_data && item.binary_size) {
    fail("input '" + name(item) + "' has both \"data\" and \"binary_data_size\"");
  }
  if (item.binary_size) {
    take_binary(item);
  } else if (!has_data) {
    fail("input '" + name(item) + "' has no \"data\"");
  } else if (!item.tensor) {
    JsonReader data(item.data);
    read_data(data, item);
  }
}

void RequestReader::read_input_key(std::string_view key, Item& item) {
  if (key == "name") {
    claim(item.named, key);
    expect(json_, JsonType::kString, "the \"name\" of an input");
    const std::string_view name = json_.string();
    const auto index = signature_.find_input(name);
    if (!index) {
      fail("the model has no input " + in_quotes(name));
    }
    item.index = *index;
  } else if (key == "shape") {
    claim(item.shaped, key);
    item.shape = read_shape();
  } else if (key == "datatype") {
    claim(item.typed, key);
    item.dtype = read_datatype();
  } else if (key == "data") {
    bool seen = item.tensor.has_value() || !item.data.empty();
    claim(seen, key);
    if (item.named && item.shaped && item.typed) {
      read_data(json_, item);
    } else {
      item.data = json_.skip();
    }
  } else if (key == "parameters") {
    item.binary_size = read_input_parameters(json_);
  } else {
    json_.skip();
  }
}

Shape RequestReader::read_shape() {
  expect(json_, JsonType::kArray, "\"shape\"");
  Shape shape;
  json_.begin_array();
  while (json_.next_item()) {
    const auto size = json_.type() == JsonType::kNumber ? json_.integer() : std::nullopt;
    if (!size || *size < 0) {
      fail("\"shape\" must hold whole numbers, 0 or more");
    }
    if (shape.rank() == Shape::kMaxRank) {
      fail("\"shape\" has more than 8 dimensions");
    }
    shape.push_back(*size);
  }
  return shape;
}

DType RequestReader::read_datatype() {
  expect(json_, JsonType::kString, "\"datatype\"");
  const std::string_view name = json_.string();
  const auto dtype = dtype_from_protocol(name);
  if (!dtype) {
    fail("the datatype " + in_quotes(name) + " is unknown");
  }
  return *dtype;
}

void RequestReader::read_data(JsonReader& json, Item& item) {
  if (!has_json_form(item.dtype)) {
    fail("input '" + name(item) + "' is of " + std::string(protocol_name(item.dtype)) +
         ", which cannot be sent as JSON; send it as binary data");
  }
  item.tensor.emplace();
  refuse_problem(item, read_tensor(json, {item.dtype, item.shape, true, room_}, *item.tensor));
  room_ -= item.tensor->byte_size();
}

// The tensors stand behind the JSON in the order of the inputs.
void RequestReader::take_binary(Item& item) {
  if (!body_.binary) {
    fail("input '" + name(item) + "' has a \"binary_data_size\", and the request no header field " +
         std::string(kInferenceHeader));
  }
  const std::size_t size = *item.binary_size;
  if (size > rest_.size()) {
    fail("input '" + name(item) + "' has a \"binary_data_size\" of " + std::to_string(size) +
         ", and only " + std::to_string(rest_.size()) + " bytes are left behind the JSON");
  }
  item.tensor.emplace();
  refuse_problem(item, read_binary_tensor({item.dtype, item.shape, true, room_},
                                          rest_.substr(0, size), body_.memory, *item.tensor));
  rest_.remove_prefix(size);
  room_ -= std::min(room_, item.tensor->held_bytes());
}

void RequestReader::refuse_problem(const Item& item,
                                   const std::optional<TensorProblem>& problem) const {
  if (problem) {
    const bool too_large = problem->kind == TensorProblem::Kind::kSize;
    throw Error(too_large ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument,
                "input '" + name(item) + "' " + problem->message);
  }
}

void RequestReader::read_outputs(InferOptions& options) {
  expect(json_, JsonType::kArray, "\"outputs\"");
  json_.begin_array();
  while (json_.next_item()) {
    add_output(read_output(), signature_, options);
  }
}

std::size_t RequestReader::output_named(std::string_view name) const {
  const auto index = signature_.find_output(name);
  if (!index) {
    fail("the model has no output " + in_quotes(name));
  }
  return *index;
}

OutputChoice RequestReader::read_output() {
  bool named = false;
  OutputChoice output;
  expect(json_, JsonType::kObject, "each of \"outputs\"");
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    if (*key == "parameters") {
      read_output_parameters(json_, output);
    } else if (*key != "name") {
      json_.skip();
    } else {
      claim(named, *key);
      expect(json_, JsonType::kString, "the \"name\" of an output");
      output.index = output_named(json_.string());
    }
  }
  if (!named) {
    fail("one of \"outputs\" has no \"name\"");
  }
  return output;
}

}  // namespace

InferBody split_infer_body(const HttpRequest& http) {
  const auto length = checked_header_length(http, http.body.size());
  if (!length) {
    return {http.body};
  }
  return {http.body.substr(0, *length), http.body.substr(*length), true, http.memory};
}

void read_infer_request(const InferBody& body,
                        const Signature& signature,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs,
                        InferOptions& options) {
  if (body.binary && body.json.empty()) {
    read_raw_request(body, signature, max_bytes, inputs);
    options.binary_output = true;
  } else {
    RequestReader(body, signature, max_bytes).read(inputs, options);
  }
}

}  // namespace maas
