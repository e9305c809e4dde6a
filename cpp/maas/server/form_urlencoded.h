// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace maas {

// The pairs of a query or of an application/x-www-form-urlencoded body, at most kMaxFormParts.
// Throws invalid_argument for a broken escape, for what is not UTF-8 and for too many pairs.
std::vector<std::pair<std::string, std::string>> parse_urlencoded(std::string_view text);

}  // namespace maas
