// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "maas/server/v2_request.h"

namespace maas {

// A request without JSON: all its bytes are the one input of the model, whose shape must follow
// from their number. Of BYTES they are one element. Throws invalid_argument when the model is not
// made for that, too_large when the input would take more than `max_bytes`.
void read_raw_request(const InferBody& body,
                      const Signature& signature,
                      std::size_t max_bytes,
                      std::vector<Tensor>& inputs);

}  // namespace maas
