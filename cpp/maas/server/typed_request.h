// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "maas/server/catalog.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Reads the body of a typed endpoint, an object with a key per field, into one tensor per field, in
// the order of the model's inputs, absent where an input has no field: a tensor of one row (without
// a leading dimension if the model has none), or the text of a JSON value as BYTES [1], empty for
// an optional field that is absent. Throws invalid_argument for a body that is no JSON, too_large
// when it would take more than `max_bytes` of memory, and unprocessable with all that is wrong with
// the fields as detail, a JSON array of {loc,msg,type}. REQUIRES: an endpoint that passed
// check_catalog()
void read_typed_request(std::string_view body,
                        const EndpointSpec& endpoint,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs);

// `[{"loc":["body"],"msg":...,"type":...}]`: one problem of the body as a whole.
std::string body_problem(std::string_view message, std::string_view type);

}  // namespace maas
