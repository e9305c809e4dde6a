// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

// Parsers of whole JSON texts that others have written, each into `out`, which is as long as the
// list. simdjson is among them where it is installed (Debian: libsimdjson-dev).
struct JsonParser {
  std::string name;
  std::function<void(std::vector<float>& out)> run;
};

// Each has its own copy of `list`, numbers without the opening bracket, in the form it wants.
std::vector<JsonParser> json_parsers(const std::string& list);
