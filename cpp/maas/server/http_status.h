// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maas/base/error.h"

namespace maas {

// One of the two tables that map errors (the other is python/maas/errors.py).
int http_status(ErrorCode code) noexcept;
// The status that the error asks for itself, else that of its code.
int http_status(const Error& error) noexcept;

// "Not Found"; empty for a status without a registered phrase.
std::string_view reason_phrase(int status) noexcept;

}  // namespace maas
