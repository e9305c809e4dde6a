// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "maas/server/http.h"

namespace maas {

// What the Accept and Accept-Encoding fields of a request allow (RFC 9110, 12.5).

// Whether an answer of this media type, "application/json", may be sent.
bool accepts_media(std::span<const Header> headers, std::string_view essence) noexcept;

struct AcceptedCodings {
  bool gzip = false;
  bool deflate = false;
  bool alone = false;  // one of them is the only coding that the client names
};
AcceptedCodings accepted_codings(std::span<const Header> headers) noexcept;

}  // namespace maas
