// SPDX-License-Identifier: Apache-2.0
#include "maas/server/urgency.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/base/priority.h"
#include "maas/server/names.h"

namespace maas {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

[[noreturn]] void refuse(std::string_view name, std::string_view wanted, std::string_view value) {
  throw Error(ErrorCode::kInvalidArgument,
              std::string(name) + " must be " + std::string(wanted) + ", not " + in_quotes(value));
}

// Nothing unless it is all digits; what is too large becomes the largest.
std::optional<std::uint64_t> digits(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (stop != end || error == std::errc::invalid_argument) {
    return std::nullopt;
  }
  return error == std::errc() ? number : std::numeric_limits<std::uint64_t>::max();
}

std::string_view without_quotes(std::string_view json) noexcept {
  return json.size() >= 2 && json.starts_with('"') ? json.substr(1, json.size() - 2) : json;
}

Duration read_milliseconds(std::string_view text) {
  double number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, number, std::chars_format::fixed);
  if (stop != end || error != std::errc() || !(number > 0) ||
      Milliseconds(number) > kLongestTimeout) {
    refuse(kTimeoutHeader, "a number of milliseconds above 0, at most 86400000", text);
  }
  return std::max(std::chrono::duration_cast<Duration>(Milliseconds(number)), Duration(1));
}

int read_priority(std::string_view name, std::string_view text) {
  const auto number = digits(text);
  if (!number) {
    refuse(name, "a whole number from 1 (first) to 10, or 0 for the default", text);
  }
  return static_cast<int>(std::min<std::uint64_t>(*number, kLowestPriority));
}

}  // namespace

Urgency Urgency::combined_with(const Urgency& nearer) const noexcept {
  return {std::min(timeout, nearer.timeout), nearer.priority != 0 ? nearer.priority : priority};
}

Urgency read_urgency(std::span<const Header> headers) {
  Urgency urgency;
  for (const Header& header : headers) {
    if (same_token(header.name, kTimeoutHeader)) {
      urgency.timeout = std::min(urgency.timeout, read_milliseconds(header.value));
    } else if (same_token(header.name, kPriorityHeader)) {
      urgency.priority = read_priority(kPriorityHeader, header.value);
    }
  }
  return urgency;
}

Duration read_timeout_parameter(std::string_view json) {
  const auto number = digits(without_quotes(json));
  if (!number) {
    refuse("the parameter 'timeout'", "a whole number of microseconds, or 0 for none", json);
  }
  constexpr std::chrono::microseconds kMost =
      std::chrono::duration_cast<std::chrono::microseconds>(kLongestTimeout);
  return *number == 0 || std::cmp_greater(*number, kMost.count())
             ? Duration::max()
             : Duration(std::chrono::microseconds(*number));
}

int read_priority_parameter(std::string_view json) {
  return read_priority("the parameter 'priority'", without_quotes(json));
}

}  // namespace maas
