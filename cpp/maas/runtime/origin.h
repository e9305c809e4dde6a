// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace maas {

// What the transport knew of a request, for code that asks: only made where a model may ask.
// Constant once it is shared.
struct Origin {
  std::string target;                                        // path and query, as sent
  std::vector<std::pair<std::string, std::string>> headers;  // in the order in which they came
  std::string identity;  // who sent it; empty where nobody was asked
};

}  // namespace maas
