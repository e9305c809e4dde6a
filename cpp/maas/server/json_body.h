// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/server/http.h"

namespace maas {

// Throws invalid_argument with status 415 unless the Content-Type is application/json in UTF-8 or
// absent. What a web page may send across origins without asking (a form, plain text) is thereby
// refused.
void require_json_type(const HttpRequest& http);

}  // namespace maas
