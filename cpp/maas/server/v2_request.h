// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "maas/runtime/signature.h"
#include "maas/server/urgency.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What an inference request of the Open Inference Protocol says beside its inputs.
struct InferOptions {
  std::string_view id;               // as it is written, with quotes; a view into the body
  std::vector<std::size_t> outputs;  // those that are asked for; empty for all
  Urgency urgency{};                 // of its parameters

  // Nothing that its answer depends on.
  [[nodiscard]] bool is_default() const noexcept { return id.empty() && outputs.empty(); }
};

// Reads a request's JSON into `inputs`, in the signature's order. Throws invalid_argument that
// names what is wrong, or too_large when the inputs would take more than `max_bytes` of memory.
// Whether datatypes, shapes and rows suit the model is left to the batcher to check.
void read_infer_request(std::string_view body,
                        const Signature& signature,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs,
                        InferOptions& options);

}  // namespace maas
