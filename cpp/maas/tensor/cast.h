// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/tensor/tensor.h"

namespace maas {

// `tensor` as float32, rounding to nearest even; itself when it is float32 already. From every
// numeric dtype and bool; throws invalid_argument for BYTES.
Tensor to_float32(const Tensor& tensor);

}  // namespace maas
