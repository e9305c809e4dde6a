// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace maas {

// Members of "schemas" and "responses" for the server's own routes, JSON without the outer braces.
// Their names begin with "maas.", so that a user's schemas do not meet them.
std::string_view own_schemas() noexcept;
std::string_view own_responses() noexcept;
// The header fields of operations that run a model, as `components.parameters` and as references.
std::string_view own_parameters() noexcept;
std::string_view urgency_parameters() noexcept;

// The response component of an error's status; empty for a status without one.
std::string_view error_response(std::string_view status) noexcept;

}  // namespace maas
