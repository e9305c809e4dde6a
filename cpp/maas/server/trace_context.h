// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "maas/server/http.h"

namespace maas {

// The W3C's trace context of one request, "00-<trace id>-<parent id>-<flags>". A value.
class TraceContext {
 public:
  TraceContext() = default;  // none
  // What the fields say; none when there is no traceparent, more than one, or one that is
  // malformed.
  static TraceContext read(std::span<const Header> headers) noexcept;
  // The beginning of a new trace, with random ids.
  static TraceContext make() noexcept;

  [[nodiscard]] bool empty() const noexcept { return text_[0] == '\0'; }
  [[nodiscard]] std::string_view traceparent() const noexcept {
    return {text_.data(), empty() ? 0 : text_.size()};
  }
  // 32 hexadecimal digits; empty when there is none.
  [[nodiscard]] std::string_view trace_id() const noexcept {
    return traceparent().substr(empty() ? 0 : 3, 32);
  }

 private:
  std::array<char, 55> text_{};
};

// The fields as they are passed on: of `trace`, which read() made of them, or make(). What does not
// fit it is left out.
std::vector<Header> traced(std::span<const Header> headers, const TraceContext& trace);

}  // namespace maas
