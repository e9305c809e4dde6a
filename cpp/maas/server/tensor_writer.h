// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "maas/tensor/tensor.h"

namespace maas {

// Why a tensor has no JSON form.
enum class WriteFault : std::uint8_t {
  kNone,
  kNotFinite,  // a NaN or an infinity
  kNotUtf8,    // a string that is not text
  kNoForm,     // float16 or bfloat16: to_float32 first
};

// "holds NaN or infinity, which JSON cannot express"; empty for kNone.
std::string_view explain(WriteFault fault) noexcept;

// Append the elements [first, first + count) with commas between. When a fault comes back, `out`
// ends somewhere in the middle.
// REQUIRES: the elements exist
[[nodiscard]] WriteFault append_values(std::string& out,
                                       const Tensor& tensor,
                                       std::size_t first,
                                       std::size_t count);
// Appends nested arrays of the dimensions of `shape`; a bare value for rank 0.
// REQUIRES: `shape` has as many elements as `tensor`
[[nodiscard]] WriteFault append_nested(std::string& out, const Tensor& tensor, const Shape& shape);

}  // namespace maas
