// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "maas/base/error.h"

namespace maas {

// The Error of (code, http status, message, detail[, failed with others]), by which a callable says
// that a row has no answer. REQUIRES: the GIL
Error read_failure(const pybind11::tuple& parts);

}  // namespace maas
