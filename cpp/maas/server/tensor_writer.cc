// SPDX-License-Identifier: Apache-2.0
#include "maas/server/tensor_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>

#include "maas/kernels/kernels.h"
#include "maas/server/json_writer.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

constexpr std::size_t kChunk = 512;           // numbers between two growths of the text
constexpr std::size_t kMaxFloat64Chars = 32;  // -2.2250738585072014e-308, and more than enough

// Room for `size` more characters, and the length that `out` had.
char* grow(std::string& out, std::size_t size) {
  const std::size_t old = out.size();
  out.resize(old + size);
  return out.data() + old;
}

void shrink(std::string& out, const char* stop) {
  out.resize(static_cast<std::size_t>(stop - out.data()));
}

WriteFault append(std::string& out, std::span<const float> values) {
  const kernels::Table& kernel = kernels::active();
  const std::size_t room = values.size() * kernels::kMaxFloat32Chars + kernels::kPrintSlack;
  const kernels::PrintResult printed =
      kernel.print_float32(values.data(), values.size(), grow(out, room));
  shrink(out, printed.stop);
  return printed.count == values.size() ? WriteFault::kNone : WriteFault::kNotFinite;
}

WriteFault append(std::string& out, std::span<const std::int64_t> values) {
  const kernels::Table& kernel = kernels::active();
  const std::size_t room = values.size() * kernels::kMaxInt64Chars + kernels::kPrintSlack;
  shrink(out, kernel.print_int64(values.data(), values.size(), grow(out, room)).stop);
  return WriteFault::kNone;
}

template <typename T>
WriteFault append_widened(std::string& out, std::span<const T> values) {
  std::array<std::int64_t, kChunk> wide;  // not cleared: rows are short, and it is long
  std::copy(values.begin(), values.end(), wide.begin());
  return append(out, std::span<const std::int64_t>(wide.data(), values.size()));
}

WriteFault append(std::string& out, std::span<const std::uint64_t> values) {
  char* at = grow(out, values.size() * kernels::kMaxInt64Chars);
  for (std::size_t i = 0; i < values.size(); ++i) {
    *at = ',';
    at += i != 0 ? 1 : 0;
    at = std::to_chars(at, at + kernels::kMaxInt64Chars, values[i]).ptr;
  }
  shrink(out, at);
  return WriteFault::kNone;
}

WriteFault append(std::string& out, std::span<const double> values) {
  std::array<char, kMaxFloat64Chars> text{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return WriteFault::kNotFinite;
    }
    const char* stop = std::to_chars(text.data(), text.data() + text.size(), values[i]).ptr;
    const std::string_view digits(text.data(), static_cast<std::size_t>(stop - text.data()));
    out += i != 0 ? "," : "";
    out += digits;
    out += digits.find_first_of(".e") == std::string_view::npos ? ".0" : "";
  }
  return WriteFault::kNone;
}

WriteFault append_booleans(std::string& out, std::span<const std::uint8_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += i != 0 ? "," : "";
    out += values[i] != 0 ? "true" : "false";
  }
  return WriteFault::kNone;
}

WriteFault append(std::string& out, std::span<const std::string> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!is_utf8(values[i])) {
      return WriteFault::kNotUtf8;
    }
    out += i != 0 ? "," : "";
    append_json_string(out, values[i]);
  }
  return WriteFault::kNone;
}

WriteFault append_chunk(std::string& out, const Tensor& tensor, std::size_t first, std::size_t n) {
  const auto part = [&]<typename T>(T) { return tensor.values<T>().subspan(first, n); };
  switch (tensor.dtype()) {
    case DType::kBool: return append_booleans(out, part(std::uint8_t{}));
    case DType::kUint8: return append_widened(out, part(std::uint8_t{}));
    case DType::kUint16: return append_widened(out, part(std::uint16_t{}));
    case DType::kUint32: return append_widened(out, part(std::uint32_t{}));
    case DType::kUint64: return append(out, part(std::uint64_t{}));
    case DType::kInt8: return append_widened(out, part(std::int8_t{}));
    case DType::kInt16: return append_widened(out, part(std::int16_t{}));
    case DType::kInt32: return append_widened(out, part(std::int32_t{}));
    case DType::kInt64: return append(out, part(std::int64_t{}));
    case DType::kFloat32: return append(out, part(float{}));
    case DType::kFloat64: return append(out, part(double{}));
    case DType::kBytes: return append(out, tensor.strings().subspan(first, n));
    case DType::kFloat16:
    case DType::kBfloat16: break;
  }
  return WriteFault::kNoForm;
}

// The part of a nested array below `axis`; its elements begin at `first`, which moves behind them.
WriteFault append_level(std::string& out,
                        const Tensor& tensor,
                        std::span<const std::int64_t> dims,
                        std::size_t& first) {
  WriteFault fault = WriteFault::kNone;
  out += '[';
  if (dims.size() == 1) {
    const auto count = static_cast<std::size_t>(dims.front());
    fault = append_values(out, tensor, first, count);
    first += count;
  } else {
    for (std::int64_t i = 0; i < dims.front() && fault == WriteFault::kNone; ++i) {
      out += i != 0 ? "," : "";
      fault = append_level(out, tensor, dims.subspan(1), first);
    }
  }
  out += ']';
  return fault;
}

}  // namespace

std::string_view explain(WriteFault fault) noexcept {
  switch (fault) {
    case WriteFault::kNone: return "";
    case WriteFault::kNotFinite: return "holds NaN or infinity, which JSON cannot express";
    case WriteFault::kNotUtf8: return "holds bytes that are not UTF-8, which JSON cannot express";
    case WriteFault::kNoForm: return "has a 16-bit float datatype, which JSON cannot express";
  }
  return "";
}

WriteFault append_values(std::string& out,
                         const Tensor& tensor,
                         std::size_t first,
                         std::size_t count) {
  WriteFault fault = WriteFault::kNone;
  for (std::size_t done = 0; done < count && fault == WriteFault::kNone; done += kChunk) {
    out += done != 0 ? "," : "";
    fault = append_chunk(out, tensor, first + done, std::min(kChunk, count - done));
  }
  return fault;
}

WriteFault append_nested(std::string& out, const Tensor& tensor, const Shape& shape) {
  std::size_t first = 0;
  return shape.rank() == 0 ? append_values(out, tensor, 0, 1)
                           : append_level(out, tensor, shape.dims(), first);
}

}  // namespace maas
