// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "maas/server/http.h"

namespace maas {

// The field that says how many bytes of a body are JSON; tensors follow them.
inline constexpr std::string_view kInferenceHeader = "Inference-Header-Content-Length";

// Nothing when the request has no such field, or it holds no number.
std::optional<std::size_t> inference_header_length(const HttpRequest& http) noexcept;
// The same; throws invalid_argument for one that is no number from 0 to `body_size`.
std::optional<std::size_t> checked_header_length(const HttpRequest& http, std::size_t body_size);

}  // namespace maas
