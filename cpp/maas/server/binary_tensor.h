// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "maas/server/tensor_reader.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Tensors as bytes, as the binary tensor data extension has them: row-major, little-endian, BOOL as
// one byte of 0 or 1, and an element of BYTES behind its length in four bytes.

// A tensor of `form` from all of these bytes: where they stand when `memory` keeps them and they
// are aligned for the dtype, else a copy. `form.shape` has no free dimension.
std::optional<TensorProblem> read_binary_tensor(const TensorForm& form,
                                                std::string_view bytes,
                                                const std::shared_ptr<void>& memory,
                                                Tensor& out);

// The tensor's bytes: itself unless it is of kBytes, then UINT8 of its serialised elements.
Tensor binary_form(const Tensor& tensor);

}  // namespace maas
