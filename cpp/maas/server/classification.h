// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "maas/tensor/tensor.h"

namespace maas {

// The classification extension: the greatest elements of each row instead of the row.

// Whether elements of this dtype have an order.
bool can_classify(DType dtype) noexcept;

// BYTES of "value:index", or "value:index:label" where there is a label, the greatest first: of
// shape [rows, k] with rows, else [k], where k is `classes` or fewer when a row has no more. Equal
// values keep their order, and NaN comes last.
// REQUIRES: can_classify(tensor.dtype()), classes > 0, rank >= 1 with rows
Tensor classify(const Tensor& tensor,
                bool has_rows,
                std::int64_t classes,
                std::span<const std::string> labels);

}  // namespace maas
