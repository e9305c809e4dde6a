// SPDX-License-Identifier: Apache-2.0
#include "maas/server/trace_context.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "maas/base/request_id.h"

namespace maas {
namespace {

constexpr std::size_t kLength = 55;  // of version 00, and of what later versions begin with

bool is_hexadecimal(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

bool is_traceparent(std::string_view text) noexcept {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const std::string_view version = text.substr(0, 2);
  const bool whole =
      version == "00" ? text.size() == kLength : text.size() == kLength || text[kLength] == '-';
  return whole && version != "ff" && is_hexadecimal(version) &&
         is_hexadecimal(text.substr(3, 32)) && !is_zero(text.substr(3, 32)) &&
         is_hexadecimal(text.substr(36, 16)) && !is_zero(text.substr(36, 16)) &&
         is_hexadecimal(text.substr(53, 2));
}

}  // namespace

TraceContext TraceContext::read(std::span<const Header> headers) noexcept {
  TraceContext found;
  bool seen = false;
  for (const Header& header : headers) {
    if (!same_token(header.name, "traceparent")) {
      continue;
    }
    if (std::exchange(seen, true) || !is_traceparent(header.value)) {
      return {};
    }
    header.value.copy(found.text_.data(), kLength);
  }
  return found;
}

TraceContext TraceContext::make() noexcept {
  TraceContext made;
  const RequestId parts[] = {RequestId::next(), RequestId::next(), RequestId::next()};
  constexpr std::string_view kForm = "00-................................-................-00";
  kForm.copy(made.text_.data(), kLength);
  parts[0].text().copy(made.text_.data() + 3, 16);
  parts[1].text().copy(made.text_.data() + 19, 16);
  parts[2].text().copy(made.text_.data() + 36, 16);
  return made;
}

std::vector<Header> traced(std::span<const Header> headers, const TraceContext& trace) {
  std::vector<Header> passed;
  passed.reserve(headers.size() + 1);
  const bool has_parent = !TraceContext::read(headers).empty();
  for (const Header& header : headers) {
    const bool belongs =
        same_token(header.name, "traceparent") || same_token(header.name, "tracestate");
    if (has_parent || !belongs) {
      passed.push_back(header);
    }
  }
  if (!has_parent && !trace.empty()) {
    passed.push_back({"traceparent", trace.traceparent()});
  }
  return passed;
}

}  // namespace maas
