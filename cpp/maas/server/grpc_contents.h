// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "maas/server/tensor_reader.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Reads an InferTensorContents, a list of numbers or byte strings, into a tensor of `form`, whose
// shape has no free dimension. Each datatype has one list of its own that it may stand in. Throws
// invalid_argument when the message is malformed.
std::optional<TensorProblem> read_contents(const TensorForm& form,
                                           std::string_view message,
                                           Tensor& out);

}  // namespace maas
