// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "maas/batching/padding.h"
#include "maas/runtime/signature.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What requests must have in common to share a batch: dtype and row shape of every input, which
// optional inputs are present, and the values of shape tensors. A padded dimension does not count.
// Constant after construction; `signature` and `padding` outlive it.
class BatchKey {
 public:
  BatchKey(const Signature& signature, const Padding& padding) noexcept
      : signature_(signature), padding_(padding) {}

  // Equal for inputs that may share a batch; compare with same() to be sure.
  [[nodiscard]] std::uint64_t hash(const std::vector<Tensor>& inputs) const noexcept;
  [[nodiscard]] bool same(const std::vector<Tensor>& a,
                          const std::vector<Tensor>& b) const noexcept;

 private:
  const Signature& signature_;
  const Padding& padding_;
};

}  // namespace maas
