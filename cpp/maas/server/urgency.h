// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "maas/base/clock.h"
#include "maas/server/http.h"

namespace maas {

// How soon the caller of a request wants its answer.
struct Urgency {
  Duration timeout = Duration::max();  // from arrival; max() when it does not say
  int priority = 0;                    // Request::priority; 0 when it does not say

  // The shorter of both timeouts, and the priority of `nearer` if that has one.
  [[nodiscard]] Urgency combined_with(const Urgency& nearer) const noexcept;
};

// Names of the header fields, and the longest timeout that one may ask for.
inline constexpr std::string_view kTimeoutHeader = "X-Request-Timeout-Ms";
inline constexpr std::string_view kPriorityHeader = "X-Request-Priority";
inline constexpr Duration kLongestTimeout = std::chrono::hours(24);

// What the header fields say, looked through once. These throw invalid_argument that names what is
// wrong.
Urgency read_urgency(std::span<const Header> headers);
// The protocol's request parameters as they stand in JSON: whole numbers, or strings of digits.
// 0 says nothing.
Duration read_timeout_parameter(std::string_view json);
int read_priority_parameter(std::string_view json);

}  // namespace maas
