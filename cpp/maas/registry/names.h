// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maas {

// A model, and which of its versions: a number, an alias, or neither.
struct ModelReference {
  std::string name;
  std::optional<std::int64_t> version{};
  std::string alias{};
};

// NAME, NAME:VERSION or NAME@ALIAS. Throws invalid_argument that says what is wrong.
ModelReference parse_reference(std::string_view text);

// Throw invalid_argument. Reserved as aliases are `latest`, numbers, and v with a number.
void check_registry_name(std::string_view name);
void check_alias(std::string_view alias);
// Lower than 2^53, so that no reader of JSON rounds it.
std::int64_t parse_version_number(std::string_view text);

// The alias that is always there: the newest version that is ready.
inline constexpr std::string_view kLatest = "latest";

}  // namespace maas
