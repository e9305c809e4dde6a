// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "maas/runtime/signature.h"
#include "maas/server/infer_options.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Reads a ModelInferRequest of the Open Inference Protocol, a message in Protocol Buffers' binary
// form.

// Which model it is for. Throws invalid_argument when the message is malformed or names none.
struct GrpcTarget {
  std::string_view model;
  std::string_view version{};  // empty for the newest
};
GrpcTarget read_grpc_target(std::string_view message);

// Reads it into `inputs`, in the signature's order, from raw_input_contents or from the contents of
// each input; all of it is copied. Throws invalid_argument that names what is wrong, or too_large
// when the inputs would take more than `max_bytes` of memory. Whether datatypes, shapes and rows
// suit the model is left to the batcher to check.
void read_grpc_request(std::string_view message,
                       const Signature& signature,
                       std::size_t max_bytes,
                       std::vector<Tensor>& inputs,
                       InferOptions& options);

}  // namespace maas
