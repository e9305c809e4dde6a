// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "maas/server/infer_options.h"
#include "maas/server/json_reader.h"

namespace maas {

// The "parameters" of an inference request in JSON. Each reads the object that comes next; names
// that nobody knows are for somebody else and passed over. They throw invalid_argument that names
// what is wrong.
void read_request_parameters(JsonReader& json, InferOptions& options);
void read_output_parameters(JsonReader& json, OutputChoice& output);
// The number of bytes that an input takes behind the JSON; nothing when it does not say.
std::optional<std::size_t> read_input_parameters(JsonReader& json);

}  // namespace maas
