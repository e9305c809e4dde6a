// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/names.h"

#include <algorithm>
#include <charconv>

#include "maas/base/error.h"

namespace maas {
namespace {

constexpr std::size_t kLongest = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongest && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

bool is_reserved(std::string_view alias) {
  if (alias == kLatest) {
    return true;
  }
  if (alias.front() == 'v' || alias.front() == 'V') {
    alias.remove_prefix(1);
  }
  return !alias.empty() && std::all_of(alias.begin(), alias.end(), is_digit);
}

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

void check_registry_name(std::string_view name) {
  if (!is_name(name)) {
    throw invalid("model name '" + std::string(name.substr(0, 200)) +
                  "' is not letters, digits and . _ - (at most 128, the first a letter or digit)");
  }
}

void check_alias(std::string_view alias) {
  if (!is_name(alias)) {
    throw invalid("alias '" + std::string(alias.substr(0, 200)) +
                  "' is not letters, digits and . _ - (at most 128, the first a letter or digit)");
  }
  if (is_reserved(alias)) {
    throw invalid("alias '" + std::string(alias) +
                  "' is reserved: latest, numbers and v with a number name versions themselves");
  }
}

std::int64_t parse_version_number(std::string_view text) {
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1 ||
      version >= (std::int64_t{1} << 53)) {
    throw invalid("version '" + std::string(text.substr(0, 100)) +
                  "' is not a whole number from 1 on");
  }
  return version;
}

ModelReference parse_reference(std::string_view text) {
  const std::size_t mark = text.find_first_of(":@");
  ModelReference reference{.name = std::string(text.substr(0, mark))};
  check_registry_name(reference.name);
  if (mark == std::string_view::npos) {
    return reference;
  }
  const std::string_view which = text.substr(mark + 1);
  if (text[mark] == ':') {
    reference.version = parse_version_number(which);
  } else {
    if (which != kLatest) {
      check_alias(which);
    }
    reference.alias = which;
  }
  return reference;
}

}  // namespace maas
