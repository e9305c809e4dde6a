// SPDX-License-Identifier: Apache-2.0
#include "maas/server/classification.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

namespace maas {
namespace {

template <typename T>
bool is_greater(T a, T b) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return !std::isnan(a);
    }
  }
  return a > b;
}

template <typename T>
std::string entry(T value, std::size_t index, std::span<const std::string> labels) {
  std::array<char, 32> text{};
  char* const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  std::string out(text.data(), end);
  out += ':';
  out += std::to_string(index);
  if (index < labels.size()) {
    out += ':';
    out += labels[index];
  }
  return out;
}

struct Cut {
  std::size_t width = 0;  // of a row
  std::size_t k = 0;
};

template <typename T>
std::vector<std::string> take(std::span<const T> values,
                              const Cut& cut,
                              std::span<const std::string> labels) {
  std::vector<std::string> out;
  std::vector<std::size_t> order(cut.width);
  for (std::size_t at = 0; at + cut.width <= values.size() && cut.k > 0; at += cut.width) {
    const std::span<const T> row = values.subspan(at, cut.width);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(cut.k),
                      order.end(), [row](std::size_t a, std::size_t b) {
                        return is_greater(row[a], row[b]) || (!is_greater(row[b], row[a]) && a < b);
                      });
    for (std::size_t i = 0; i < cut.k; ++i) {
      out.push_back(entry(row[order[i]], order[i], labels));
    }
  }
  return out;
}

std::vector<std::string> take(const Tensor& tensor,
                              const Cut& cut,
                              std::span<const std::string> labels) {
  switch (tensor.dtype()) {
    case DType::kUint8: return take(tensor.values<std::uint8_t>(), cut, labels);
    case DType::kUint16: return take(tensor.values<std::uint16_t>(), cut, labels);
    case DType::kUint32: return take(tensor.values<std::uint32_t>(), cut, labels);
    case DType::kUint64: return take(tensor.values<std::uint64_t>(), cut, labels);
    case DType::kInt8: return take(tensor.values<std::int8_t>(), cut, labels);
    case DType::kInt16: return take(tensor.values<std::int16_t>(), cut, labels);
    case DType::kInt32: return take(tensor.values<std::int32_t>(), cut, labels);
    case DType::kInt64: return take(tensor.values<std::int64_t>(), cut, labels);
    case DType::kFloat32: return take(tensor.values<float>(), cut, labels);
    case DType::kFloat64: return take(tensor.values<double>(), cut, labels);
    case DType::kBool:
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kBytes: break;
  }
  return {};
}

}  // namespace

bool can_classify(DType dtype) noexcept {
  return dtype != DType::kBool && dtype != DType::kFloat16 && dtype != DType::kBfloat16 &&
         dtype != DType::kBytes;
}

Tensor classify(const Tensor& tensor,
                bool has_rows,
                std::int64_t classes,
                std::span<const std::string> labels) {
  const std::int64_t rows = has_rows ? tensor.shape()[0] : 1;
  Cut cut;
  cut.width = rows == 0 ? 0 : tensor.elements() / static_cast<std::size_t>(rows);
  cut.k = std::min(cut.width, static_cast<std::size_t>(classes));
  const auto k = static_cast<std::int64_t>(cut.k);
  return Tensor::from_strings(take(tensor, cut, labels), has_rows ? Shape{rows, k} : Shape{k});
}

}  // namespace maas
