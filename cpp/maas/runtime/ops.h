// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/tensor/tensor.h"

namespace maas {

// One transformation of a tensor whose leading dimension is rows; a row's result depends on that
// row alone. Immutable; any thread may apply it.
class Op {
 public:
  // Finds another tensor of the same request by name; null when there is none.
  using Lookup = std::function<const Tensor*(std::string_view)>;

  virtual ~Op() = default;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // Throws invalid_argument for a dtype or shape it cannot take.
  [[nodiscard]] virtual Tensor apply(const Tensor& x, const Lookup& find) const = 0;
};

using OpPtr = std::shared_ptr<const Op>;

namespace ops {

// x * factor + shift, from float32 or uint8 of any shape to float32 of the same.
OpPtr scale(float factor, float shift);
// uint8 [rows, height, width, channels] to float32 [rows, channels, height, width]:
// (x * factor - mean[c]) / std[c].
OpPtr normalise(std::vector<float> mean, std::vector<float> std, float factor);
// Over the last dimension of float32.
OpPtr softmax();
// Index of the greatest along the last dimension of float32, the first among equals; int64, one
// dimension less.
OpPtr argmax();
// Rows of the last dimension of float32 divided by their Euclidean norm, at least 1e-12.
OpPtr l2_normalise();
// float32 [rows, tokens, dim] to [rows, dim]: the mean of the tokens whose element of the int64
// input `mask` [rows, tokens] is not 0.
OpPtr mean_pool(std::string mask);

}  // namespace ops

// The k greatest along the last dimension of float32, descending, lower index first among equals.
struct TopKResult {
  Tensor values;   // float32
  Tensor indices;  // int64
};
TopKResult top_k(const Tensor& x, std::int64_t k);

// Applies `chain` from left to right.
Tensor apply_ops(const std::vector<OpPtr>& chain, Tensor x, const Op::Lookup& find);

}  // namespace maas
