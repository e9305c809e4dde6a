// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maas/server/catalog.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Writes the answer of a native endpoint: each OutputSpec's tensor of one row, transformed and
// rendered. `inputs` are what the operations may look up by the names of the endpoint's fields.
// Throws invalid_argument for values that JSON cannot express, and what the operations throw.
// REQUIRES: an endpoint that passed check_catalog()
void write_typed_response(const EndpointSpec& endpoint,
                          const std::vector<Tensor>& inputs,
                          const std::vector<Tensor>& outputs,
                          std::string& body);

}  // namespace maas
