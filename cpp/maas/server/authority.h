// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace maas {

// Whom a request is for, as Host and the targets of the absolute form say it. A view into the text.
struct Authority {
  std::string_view host{};    // a name, an IPv4 address, or an IPv6 address in its brackets
  std::optional<int> port{};  // nothing when none is said, which is the scheme's own
};

// "host", "host:port", "[address]:port". Nothing for anything that a name cannot be, also a user in
// front of an '@'; an empty text has an empty host.
std::optional<Authority> parse_authority(std::string_view text) noexcept;

}  // namespace maas
