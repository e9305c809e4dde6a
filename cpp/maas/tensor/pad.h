// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "maas/tensor/tensor.h"

namespace maas {

// One element of a dtype as it lies in memory.
struct Element {
  std::array<std::byte, 8> bytes{};
  std::size_t size = 0;
};

// `value` as an element of `dtype`; for kBytes it must be 0, which stands for the empty string.
// Throws invalid_argument when the dtype cannot hold it (of float16 and bfloat16 only 0 is known).
Element element_of(DType dtype, double value);

// Stacks tensors along their leading dimension, each filled up with `fill` behind its own end to
// `length` along `axis` (1 or more). All have the same dtype and the same other dimensions.
// REQUIRES: parts not empty, no part longer than `length`
Tensor stack_padded(std::span<const Tensor> parts,
                    std::size_t axis,
                    std::int64_t length,
                    const Element& fill);

// The first `length` positions along `axis`; the same memory where that is contiguous.
// REQUIRES: axis exists and is at least `length` long
Tensor narrow(const Tensor& tensor, std::size_t axis, std::int64_t length);

}  // namespace maas
