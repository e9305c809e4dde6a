// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "maas/base/result.h"
#include "maas/batching/options.h"
#include "maas/runtime/signature.h"
#include "maas/tensor/pad.h"
#include "maas/tensor/tensor.h"

namespace maas {

// How requests of one model that differ in length are made one shape, and their answers cut back.
// A request's length is the one variable dimension of its padded inputs. Constant after
// construction; owned by a Batcher.
class Padding {
 public:
  // Throws invalid_argument when the options do not fit the signature.
  Padding(const Signature& signature, const BatchOptions& options);

  [[nodiscard]] bool enabled() const noexcept { return enabled_; }
  // Supplies the mask where the request has none, and tells its length; invalid_argument when its
  // padded inputs differ in length. 0 without padding.
  // REQUIRES: inputs that passed check_inputs()
  Result<std::int64_t> prepare(std::vector<Tensor>& inputs, std::int64_t rows) const;

  // Which axis of an input, rows included, does not count when shapes are compared.
  [[nodiscard]] std::optional<std::size_t> axis(std::size_t input) const noexcept {
    return enabled_ && inputs_[input] ? std::optional(inputs_[input]->axis) : std::nullopt;
  }
  // One input of all the requests in a batch, the longest of which has this length.
  [[nodiscard]] Tensor stack(std::size_t input,
                             std::span<const Tensor> parts,
                             std::int64_t length) const;
  // A request's rows of an output, from a batch of length `padded`.
  [[nodiscard]] Tensor cut(std::size_t output,
                           Tensor rows,
                           std::int64_t padded,
                           std::int64_t length) const;

 private:
  struct Padded {
    std::size_t axis;
    Element fill;
  };
  [[nodiscard]] Tensor ones(std::int64_t rows, std::int64_t length) const;

  const Signature signature_;
  bool enabled_ = false;
  std::vector<std::optional<Padded>> inputs_;
  std::vector<std::optional<std::size_t>> outputs_;  // the axis that is cut
  std::optional<std::size_t> mask_;                  // index of the input
  Element one_;                                      // of the mask
};

}  // namespace maas
