// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_key.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>

namespace maas {
namespace {

// The finaliser of MurmurHash3 over a running sum: good enough for a table that compares as well.
std::uint64_t mix(std::uint64_t hash, std::uint64_t value) noexcept {
  hash = (hash + value) * 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33U);
}

std::uint64_t hash_values(const Tensor& tensor) noexcept {
  if (tensor.dtype() == DType::kBytes) {
    std::uint64_t hash = 0;
    for (const std::string& text : tensor.strings()) {
      hash = mix(hash, std::hash<std::string>{}(text));
    }
    return hash;
  }
  return std::hash<std::string_view>{}(
      {static_cast<const char*>(tensor.data()), tensor.byte_size()});
}

bool same_values(const Tensor& a, const Tensor& b) noexcept {
  if (a.dtype() == DType::kBytes) {
    return std::equal(a.strings().begin(), a.strings().end(), b.strings().begin(),
                      b.strings().end());
  }
  return a.byte_size() == b.byte_size() &&
         (a.byte_size() == 0 || std::memcmp(a.data(), b.data(), a.byte_size()) == 0);
}

// Equal from axis `first` on, but for the padded one.
bool same_axes(const Shape& a,
               const Shape& b,
               std::size_t first,
               std::optional<std::size_t> padded) noexcept {
  if (a.rank() != b.rank()) {
    return false;
  }
  for (std::size_t axis = first; axis < a.rank(); ++axis) {
    if (a[axis] != b[axis] && padded != axis) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::uint64_t BatchKey::hash(const std::vector<Tensor>& inputs) const noexcept {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    hash = mix(hash, input.is_absent() ? 0 : 1 + static_cast<std::uint64_t>(input.dtype()));
    const bool rows = signature_.has_rows(signature_.inputs[i]);
    const auto padded = padding_.axis(i);
    for (std::size_t axis = rows ? 1 : 0; axis < input.shape().rank(); ++axis) {
      hash = mix(hash, padded == axis ? ~0ULL : static_cast<std::uint64_t>(input.shape()[axis]));
    }
    if (signature_.inputs[i].shape_tensor && !input.is_absent()) {
      hash = mix(hash, hash_values(input));
    }
  }
  return hash;
}

bool BatchKey::same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) const noexcept {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].is_absent() != b[i].is_absent() || a[i].dtype() != b[i].dtype()) {
      return false;
    }
    const std::size_t first = signature_.has_rows(signature_.inputs[i]) ? 1 : 0;
    if (!same_axes(a[i].shape(), b[i].shape(), first, padding_.axis(i))) {
      return false;
    }
    if (signature_.inputs[i].shape_tensor && !same_values(a[i], b[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace maas
