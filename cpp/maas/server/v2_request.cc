// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/json_reader.h"
#include "maas/server/names.h"
#include "maas/server/tensor_reader.h"

namespace maas {
namespace {

constexpr std::size_t kMaxId = 256;

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

bool is_read(const Tensor& tensor) noexcept {
  return !tensor.is_absent();
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
  std::optional<Tensor> tensor;
};

class RequestReader {
 public:
  RequestReader(std::string_view body, const Signature& signature, std::size_t max_bytes)
      : json_(body), signature_(signature), room_(max_bytes) {}

  void read(std::vector<Tensor>& inputs, InferOptions& options);

 private:
  void read_id(InferOptions& options);
  void read_inputs(std::vector<Tensor>& inputs);
  Item read_input();
  void read_input_key(std::string_view key, Item& item);
  void read_data(JsonReader& json, Item& item);
  void read_outputs(std::vector<std::size_t>& outputs);
  std::size_t read_output();
  [[nodiscard]] std::size_t output_named(std::string_view name) const;
  Shape read_shape();
  DType read_datatype();
  void read_parameters(Urgency* urgency = nullptr);
  void read_parameter(std::string_view key, Urgency* urgency);

  [[nodiscard]] const std::string& name(const Item& item) const {
    return signature_.inputs[item.index].name;
  }

  JsonReader json_;
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
      read_id(options);
    } else if (*key == "outputs") {
      claim(has_outputs, *key);
      read_outputs(options.outputs);
    } else if (*key == "parameters") {
      read_parameters(&options.urgency);
    } else {
      json_.skip();
    }
  }
  json_.finish();
  if (!has_inputs) {
    fail("the request has no \"inputs\"");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!is_read(inputs[i]) && !signature_.inputs[i].optional) {
      fail("input '" + signature_.inputs[i].name + "' is missing");
    }
  }
}

void RequestReader::read_id(InferOptions& options) {
  expect(json_, JsonType::kString, "\"id\"");
  json_.peek();
  const char* first = json_.rest().data();
  const std::string_view id = json_.string();
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; };
  if (id.size() > kMaxId || std::any_of(id.begin(), id.end(), is_control)) {
    fail("\"id\" must be at most 256 characters without control characters");
  }
  options.id = {first, static_cast<std::size_t>(json_.rest().data() - first)};
}

void RequestReader::read_inputs(std::vector<Tensor>& inputs) {
  inputs.clear();
  inputs.resize(signature_.inputs.size());
  expect(json_, JsonType::kArray, "\"inputs\"");
  json_.begin_array();
  while (json_.next_item()) {
    Item item = read_input();
    Tensor& input = inputs[item.index];
    if (is_read(input)) {
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
  if (!item.named) {
    fail("one of \"inputs\" has no \"name\"");
  }
  if (!item.shaped || !item.typed) {
    fail("input '" + name(item) + "' has no " + (item.shaped ? "\"datatype\"" : "\"shape\""));
  }
  if (!item.tensor) {
    if (item.data.empty()) {
      fail("input '" + name(item) + "' has no \"data\"");
    }
    JsonReader data(item.data);
    read_data(data, item);
  }
  return item;
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
    read_parameters();
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
  if (!has_json_form(*dtype)) {
    fail("the datatype " + in_quotes(name) + " cannot be sent as JSON; send FP32");
  }
  return *dtype;
}

void RequestReader::read_data(JsonReader& json, Item& item) {
  item.tensor.emplace();
  const auto problem = read_tensor(json, {item.dtype, item.shape, true, room_}, *item.tensor);
  if (problem) {
    const bool too_large = problem->kind == TensorProblem::Kind::kSize;
    throw Error(too_large ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument,
                "input '" + name(item) + "' " + problem->message);
  }
  room_ -= item.tensor->byte_size();
}

// Of an input, an output or the request; only that has urgency.
void RequestReader::read_parameters(Urgency* urgency) {
  expect(json_, JsonType::kObject, "\"parameters\"");
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    read_parameter(*key, urgency);
  }
}

// Those that ask for another form of data than JSON must not be passed over; those that nobody
// knows are for somebody else.
void RequestReader::read_parameter(std::string_view key, Urgency* urgency) {
  const bool binary = key == "binary_data" || key == "binary_data_output";
  const bool memory = key == "binary_data_size" || key.starts_with("shared_memory_");
  const bool classes = key == "classification";
  const bool timeout = urgency != nullptr && key == "timeout";
  const bool priority = urgency != nullptr && key == "priority";
  const std::string_view value = json_.skip();
  if ((binary && value != "false") || memory || classes) {
    fail(classes  ? "the classification extension is not supported"
         : memory ? "binary and shared memory tensors are not supported; send \"data\" as JSON"
                  : "binary outputs are not supported; set \"binary_data\" to false");
  }
  if (timeout) {
    urgency->timeout = read_timeout_parameter(value);
  } else if (priority) {
    urgency->priority = read_priority_parameter(value);
  }
}

void RequestReader::read_outputs(std::vector<std::size_t>& outputs) {
  expect(json_, JsonType::kArray, "\"outputs\"");
  json_.begin_array();
  while (json_.next_item()) {
    const std::size_t index = read_output();
    if (std::find(outputs.begin(), outputs.end(), index) != outputs.end()) {
      fail("output '" + signature_.outputs[index].name + "' is asked for twice");
    }
    outputs.push_back(index);
  }
}

std::size_t RequestReader::output_named(std::string_view name) const {
  const auto index = signature_.find_output(name);
  if (!index) {
    fail("the model has no output " + in_quotes(name));
  }
  return *index;
}

std::size_t RequestReader::read_output() {
  bool named = false;
  std::size_t found = 0;
  expect(json_, JsonType::kObject, "each of \"outputs\"");
  json_.begin_object();
  while (const auto key = json_.next_key()) {
    if (*key == "parameters") {
      read_parameters();
    } else if (*key != "name") {
      json_.skip();
    } else {
      claim(named, *key);
      expect(json_, JsonType::kString, "the \"name\" of an output");
      found = output_named(json_.string());
    }
  }
  if (!named) {
    fail("one of \"outputs\" has no \"name\"");
  }
  return found;
}

}  // namespace

void read_infer_request(std::string_view body,
                        const Signature& signature,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs,
                        InferOptions& options) {
  RequestReader(body, signature, max_bytes).read(inputs, options);
}

}  // namespace maas
