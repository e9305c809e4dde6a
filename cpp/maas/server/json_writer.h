// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "maas/tensor/shape.h"

namespace maas {

// Appends to a JSON text. What is not UTF-8 in `text` becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t value);
// "[2,-1]"
void append_json_shape(std::string& out, const Shape& shape);

// `text` as a JSON string.
std::string json_string(std::string_view text);

}  // namespace maas
