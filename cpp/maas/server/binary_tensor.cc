// SPDX-License-Identifier: Apache-2.0
#include "maas/server/binary_tensor.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "maas/base/checked.h"
#include "maas/base/error.h"

namespace maas {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

using Kind = TensorProblem::Kind;
constexpr std::size_t kPrefix = sizeof(std::uint32_t);

TensorProblem wrong_size(const TensorForm& form, std::size_t bytes) {
  return {Kind::kShape, "has " + std::to_string(bytes) +
                            " bytes of binary data, which is not what " +
                            std::string(protocol_name(form.dtype)) + " of its shape " +
                            form.shape.to_string() + " takes"};
}

// One string per element; nothing when the bytes are not exactly that.
std::optional<std::vector<std::string>> split(std::string_view bytes, std::size_t count) {
  std::vector<std::string> strings;
  strings.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t size = 0;
    if (bytes.size() < kPrefix) {
      return std::nullopt;
    }
    std::memcpy(&size, bytes.data(), kPrefix);
    bytes.remove_prefix(kPrefix);
    if (size > bytes.size()) {
      return std::nullopt;
    }
    strings.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return bytes.empty() ? std::optional(std::move(strings)) : std::nullopt;
}

std::optional<TensorProblem> read_strings(const TensorForm& form,
                                          std::size_t elements,
                                          std::string_view bytes,
                                          Tensor& out) {
  if (elements > bytes.size() / kPrefix) {
    return wrong_size(form, bytes.size());
  }
  const std::size_t needed = elements * sizeof(std::string) + bytes.size();
  if (needed > form.max_bytes) {
    return TensorProblem{Kind::kSize, "would take " + std::to_string(needed) +
                                          " bytes in memory, the limit is " +
                                          std::to_string(form.max_bytes)};
  }
  auto strings = split(bytes, elements);
  if (!strings) {
    return TensorProblem{Kind::kShape,
                         "has binary data in which an element's length does not fit the rest"};
  }
  out = Tensor::from_strings(*std::move(strings), form.shape);
  return std::nullopt;
}

bool is_aligned(std::string_view bytes, DType dtype) noexcept {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % dtype_size(dtype) == 0;
}

}  // namespace

std::optional<TensorProblem> read_binary_tensor(const TensorForm& form,
                                                std::string_view bytes,
                                                const std::shared_ptr<void>& memory,
                                                Tensor& out) {
  const auto elements = form.shape.elements();
  if (!elements) {
    return TensorProblem{Kind::kShape, "has a negative or too large dimension in its shape " +
                                           form.shape.to_string()};
  }
  if (form.dtype == DType::kBytes) {
    return read_strings(form, static_cast<std::size_t>(*elements), bytes, out);
  }
  const auto size = checked_multiply(*elements, static_cast<std::int64_t>(dtype_size(form.dtype)));
  if (!size || !std::cmp_equal(*size, bytes.size())) {
    return wrong_size(form, bytes.size());
  }
  if (form.dtype == DType::kBool &&
      std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != 0 && c != 1; })) {
    return TensorProblem{Kind::kRange, "has a byte that is neither 0 nor 1 as a BOOL"};
  }
  if (memory != nullptr && !bytes.empty() && is_aligned(bytes, form.dtype)) {
    out = Tensor::borrow(form.dtype, form.shape, const_cast<char*>(bytes.data()), memory);
  } else {
    out = Tensor::allocate(form.dtype, form.shape);
    if (!bytes.empty()) {
      std::memcpy(out.mutable_data(), bytes.data(), bytes.size());
    }
  }
  return std::nullopt;
}

Tensor binary_form(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBytes) {
    return tensor;
  }
  std::size_t size = 0;
  for (const std::string& text : tensor.strings()) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
      throw Error(ErrorCode::kInternal, "an element of BYTES is longer than 4 GiB");
    }
    size += kPrefix + text.size();
  }
  Tensor out = Tensor::allocate(DType::kUint8, Shape{static_cast<std::int64_t>(size)});
  auto* at = static_cast<char*>(out.mutable_data());
  for (const std::string& text : tensor.strings()) {
    const auto length = static_cast<std::uint32_t>(text.size());
    std::memcpy(at, &length, kPrefix);
    at = std::copy(text.begin(), text.end(), at + kPrefix);
  }
  return out;
}

}  // namespace maas
