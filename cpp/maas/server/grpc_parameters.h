// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maas/server/infer_options.h"

namespace maas {

// The parameters of an inference request that came as a message: each reads one entry of a
// map<string, InferParameter>; names that nobody knows are for somebody else and passed over. They
// throw invalid_argument that names what is wrong.
void read_request_parameter(std::string_view entry, InferOptions& options);
void read_output_parameter(std::string_view entry, OutputChoice& output);
void read_input_parameter(std::string_view entry);

}  // namespace maas
