// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maas/tensor/shape.h"

namespace maas {

// `declared` with each -1 replaced by the number of elements that the nested JSON array at the
// start of `text` has in that dimension, counted along its first elements. What is ragged, nested
// otherwise or malformed gives some shape: the parse that follows finds out.
Shape scan_shape(std::string_view text, const Shape& declared) noexcept;

}  // namespace maas
