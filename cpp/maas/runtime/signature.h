// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/result.h"
#include "maas/tensor/tensor.h"

namespace maas {

// One named input or output: the dtype and shape of one row, -1 for a dimension of any size. A
// model that was loaded without declarations accepts any shape of float32: then `row` is empty.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  std::optional<Shape> row;
  // Of inputs only.
  bool optional = false;      // a request may leave it out: the model gets an absent Tensor
  bool shape_tensor = false;  // given once per batch, without rows: requests that share a batch
                              // agree in its values (a target size, a flag)
  // Of outputs only: what an element of a row stands for, by its index.
  std::vector<std::string> labels{};
};

// What a model takes and gives, in the order in which run() passes them. A value.
struct Signature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  bool batch_dim = true;  // tensors carry a leading dimension of rows before the declared shape

  [[nodiscard]] std::optional<std::size_t> find_input(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::size_t> find_output(std::string_view name) const noexcept;
  // Whether a tensor of it has a leading dimension of rows.
  [[nodiscard]] bool has_rows(const TensorSpec& spec) const noexcept {
    return batch_dim && !spec.shape_tensor;
  }
  // Whether a row takes the same memory in every request, and so, as a rule, the same time.
  [[nodiscard]] bool has_fixed_inputs() const noexcept;
  // The shape on the wire: the declared one, behind -1 for the rows if it has rows. "[-1]" when
  // undeclared.
  [[nodiscard]] Shape wire_shape(const TensorSpec& spec) const;
};

// The rows of `inputs` (in signature order), after checking number, dtype and shape of each against
// the signature and that all have the same rows. An absent Tensor is right where it is optional. 1
// for a model without a batch dimension.
Result<std::int64_t> check_inputs(const Signature& signature, const std::vector<Tensor>& inputs);

}  // namespace maas
