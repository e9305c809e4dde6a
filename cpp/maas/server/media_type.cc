// SPDX-License-Identifier: Apache-2.0
#include "maas/server/media_type.h"

#include <algorithm>

#include "maas/server/http.h"

namespace maas {
namespace {

bool is_token(char c) noexcept {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads a field from its front.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) noexcept : text_(text) {}

  void skip_space() noexcept {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t"), text_.size()));
  }
  bool take(char c) noexcept {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }
  std::string_view token(std::string_view more = {}) noexcept {
    std::size_t n = 0;
    while (n < text_.size() &&
           (is_token(text_[n]) || more.find(text_[n]) != std::string_view::npos)) {
      ++n;
    }
    const std::string_view found = text_.substr(0, n);
    text_.remove_prefix(n);
    return found;
  }
  // Behind the opening quote; false when there is no closing one.
  bool quoted(std::string& out) {
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') {
        return true;
      }
      // Only these two are escaped: some senders write a path with single backslashes.
      const bool escapes =
          c == '\\' && !text_.empty() && (text_.front() == '"' || text_.front() == '\\');
      out += escapes ? text_.front() : c;
      text_.remove_prefix(escapes ? 1 : 0);
    }
    return false;
  }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

 private:
  std::string_view text_;
};

bool read_parameter(FieldReader& field, std::vector<MediaType::Parameter>& out) {
  field.skip_space();
  if (field.empty()) {
    return true;  // a semicolon at the end
  }
  MediaType::Parameter parameter{field.token(), {}};
  if (parameter.name.empty() || !field.take('=')) {
    return false;
  }
  if (field.take('"')) {
    if (!field.quoted(parameter.value)) {
      return false;
    }
  } else {
    parameter.value = field.token();
    if (parameter.value.empty()) {
      return false;
    }
  }
  out.push_back(std::move(parameter));
  return true;
}

}  // namespace

const std::string* MediaType::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(),
                   [&](const Parameter& parameter) { return same_token(parameter.name, name); });
  return found == parameters.end() ? nullptr : &found->value;
}

std::optional<MediaType> parse_media_type(std::string_view value) {
  FieldReader field(value);
  field.skip_space();
  MediaType type;
  type.essence = field.token("/");
  if (type.essence.empty()) {
    return std::nullopt;
  }
  field.skip_space();
  while (!field.empty()) {
    if (!field.take(';') || !read_parameter(field, type.parameters)) {
      return std::nullopt;
    }
    field.skip_space();
  }
  return type;
}

std::string_view essence_of(std::string_view value) noexcept {
  value = value.substr(0, value.find(';'));
  const auto first = value.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return value.substr(first, value.find_last_not_of(" \t") - first + 1);
}

bool media_matches(std::string_view pattern, std::string_view essence) noexcept {
  if (pattern == "*/*") {
    return true;
  }
  if (pattern.ends_with("/*")) {
    const std::string_view type = pattern.substr(0, pattern.size() - 1);
    return essence.size() > type.size() && same_token(essence.substr(0, type.size()), type);
  }
  return same_token(pattern, essence);
}

}  // namespace maas
