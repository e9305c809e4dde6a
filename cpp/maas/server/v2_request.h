// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "maas/runtime/signature.h"
#include "maas/server/http.h"
#include "maas/server/infer_options.h"
#include "maas/tensor/tensor.h"

namespace maas {

// The body of an inference request of the Open Inference Protocol, by its binary tensor data
// extension: JSON, and the bytes of tensors behind it.
struct InferBody {
  std::string_view json;
  std::string_view tensors{};
  bool binary = false;             // the request says where tensors begin, if there are any
  std::shared_ptr<void> memory{};  // keeps `tensors`, for inputs that stay where they are; or null
};

// As the request's fields split it. Throws invalid_argument when they are wrong.
InferBody split_infer_body(const HttpRequest& http);

// Reads a request into `inputs`, in the signature's order. A body of which nothing is JSON is the
// one input of the model. Throws invalid_argument that names what is wrong, or too_large when the
// inputs would take more than `max_bytes` of memory. Whether datatypes, shapes and rows suit the
// model is left to the batcher to check.
void read_infer_request(const InferBody& body,
                        const Signature& signature,
                        std::size_t max_bytes,
                        std::vector<Tensor>& inputs,
                        InferOptions& options);

}  // namespace maas
