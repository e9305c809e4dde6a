// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_parameters.h"

#include <string>
#include <string_view>

#include "maas/base/error.h"
#include "maas/server/names.h"

namespace maas {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

// Calls `use` with each key; it reads the value and returns true, or leaves it.
template <typename Use>
void for_each_parameter(JsonReader& json, Use use) {
  if (json.type() != JsonType::kObject) {
    fail("\"parameters\" must be an object");
  }
  json.begin_object();
  while (const auto key = json.next_key()) {
    refuse_shared_memory(*key);
    if (!use(*key)) {
      json.skip();
    }
  }
}

bool read_flag(JsonReader& json, std::string_view name) {
  if (json.type() != JsonType::kBool) {
    fail("the parameter " + in_quotes(name) + " must be true or false");
  }
  return json.boolean();
}

std::int64_t read_count(JsonReader& json, std::string_view name, std::int64_t least) {
  const auto count = json.type() == JsonType::kNumber ? json.integer() : std::nullopt;
  if (!count || *count < least) {
    fail("the parameter " + in_quotes(name) + " must be a whole number, " + std::to_string(least) +
         " or more");
  }
  return *count;
}

}  // namespace

void read_request_parameters(JsonReader& json, InferOptions& options) {
  for_each_parameter(json, [&](std::string_view key) {
    if (key == "timeout") {
      options.urgency.timeout = read_timeout_parameter(json.skip());
    } else if (key == "priority") {
      options.urgency.priority = read_priority_parameter(json.skip());
    } else if (key == "binary_data_output") {
      options.binary_output = read_flag(json, "binary_data_output");
    } else {
      return false;
    }
    return true;
  });
}

void read_output_parameters(JsonReader& json, OutputChoice& output) {
  for_each_parameter(json, [&](std::string_view key) {
    if (key == "binary_data") {
      output.binary = read_flag(json, "binary_data");
    } else if (key == "classification") {
      output.classes = read_classes_parameter(json.skip());
    } else {
      return false;
    }
    return true;
  });
}

std::optional<std::size_t> read_input_parameters(JsonReader& json) {
  std::optional<std::size_t> size;
  for_each_parameter(json, [&](std::string_view key) {
    if (key != "binary_data_size") {
      return false;
    }
    size = static_cast<std::size_t>(read_count(json, "binary_data_size", 0));
    return true;
  });
  return size;
}

}  // namespace maas
