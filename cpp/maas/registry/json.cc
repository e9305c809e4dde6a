// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <boost/json/src.hpp>

#include "maas/base/error.h"

namespace maas {
namespace {

namespace json = boost::json;

Error invalid(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

template <typename Number>
void append_number(Number number, std::string& out) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

void append(const json::value& value, std::string& out);

void append(const json::object& object, std::string& out) {
  std::vector<const json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& entry : object) {
    members.push_back(&entry);
  }
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  out += '{';
  for (const auto* entry : members) {
    if (entry != members.front()) {
      out += ',';
    }
    out += json::serialize(json::string_view(entry->key()));
    out += ':';
    append(entry->value(), out);
  }
  out += '}';
}

void append(const json::array& array, std::string& out) {
  out += '[';
  for (const auto& value : array) {
    if (&value != &array.front()) {
      out += ',';
    }
    append(value, out);
  }
  out += ']';
}

void append(const json::value& value, std::string& out) {
  switch (value.kind()) {
    case json::kind::object: return append(value.get_object(), out);
    case json::kind::array: return append(value.get_array(), out);
    case json::kind::int64: return append_number(value.get_int64(), out);
    case json::kind::uint64: return append_number(value.get_uint64(), out);
    case json::kind::double_: return append_number(value.get_double(), out);
    default: out += json::serialize(value);
  }
}

}  // namespace

json::value parse_json(std::string_view text, std::string_view what) {
  boost::system::error_code problem;
  json::value value = json::parse({text.data(), text.size()}, problem);
  if (problem) {
    throw invalid(std::string(what) + " is not JSON: " + problem.message());
  }
  return value;
}

std::string canonical_json(const json::value& value) {
  std::string text;
  append(value, text);
  return text;
}

const json::value& member(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains({key.data(), key.size()});
  if (found == nullptr) {
    throw invalid("\"" + std::string(key) + "\" is missing");
  }
  return *found;
}

std::string string_member(const json::object& object, std::string_view key) {
  const json::value& found = member(object, key);
  if (!found.is_string()) {
    throw invalid("\"" + std::string(key) + "\" is not a string");
  }
  return std::string(std::string_view(found.get_string()));
}

std::int64_t integer_member(const json::object& object, std::string_view key) {
  const json::value& found = member(object, key);
  if (!found.is_int64()) {
    throw invalid("\"" + std::string(key) + "\" is not a whole number");
  }
  return found.get_int64();
}

}  // namespace maas
