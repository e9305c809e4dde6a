// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/model.h"

#include <future>
#include <utility>

namespace maas {
namespace {

// A row of zeros of the declared shape; a dimension of any size is 1.
std::optional<Tensor> zeros(const Signature& signature, const TensorSpec& spec, std::int64_t rows) {
  if (!spec.row) {
    return std::nullopt;
  }
  Shape shape = signature.wire_shape(spec);
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == -1) {
      shape.set(axis, axis == 0 && signature.batch_dim ? rows : 1);
    }
  }
  return Tensor::zeros(spec.dtype, shape);
}

}  // namespace

void Model::warm_up(std::int64_t rows, const ExecutorContext& context) {
  Batch batch;
  batch.rows = rows;
  for (const TensorSpec& spec : signature().inputs) {
    auto input = zeros(signature(), spec, rows);
    if (!input || spec.shape_tensor) {
      return;  // what zeros mean to it, nobody knows
    }
    batch.inputs.push_back(std::move(*input));
  }
  // The model alone owns the promise: one that drops it unanswered breaks it, and nobody waits.
  std::promise<Result<BatchResult>> answered;
  auto answer = answered.get_future();
  run(std::move(batch), context,
      [answered = std::move(answered)](Result<BatchResult> result) mutable {
        answered.set_value(std::move(result));
      });
  (void)answer.get().value();
}

}  // namespace maas
