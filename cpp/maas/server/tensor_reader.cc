// SPDX-License-Identifier: Apache-2.0
#include "maas/server/tensor_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "maas/base/checked.h"
#include "maas/kernels/kernels.h"
#include "maas/server/shape_scan.h"

namespace maas {
namespace {

using Kind = TensorProblem::Kind;

// Fills one tensor from the arrays of one value. What returns false has set the problem and leaves
// the reader anywhere inside the value.
class ElementReader {
 public:
  ElementReader(JsonReader& json, Tensor& out) : json_(json), out_(out) {}

  // A whole value, nested as the shape or, where `flat`, one array of all elements.
  bool read(bool flat);
  [[nodiscard]] TensorProblem take_problem() { return std::move(problem_); }

 private:
  // Each reads what is left of an array that was begun, to behind its ']'.
  bool read_level(std::size_t axis);
  bool read_run(std::size_t count);
  template <typename T>
  bool read_narrow(std::size_t count);
  template <typename T>
  bool take_narrow(std::span<const std::int64_t> wide);
  template <typename Read>
  bool read_each(std::size_t count, JsonType wanted, Read read);

  bool read_scalar();
  bool read_float64();
  bool read_uint64();

  bool settle(const kernels::ParseResult& parsed, std::size_t end);
  bool fail(Kind kind, std::string message);
  bool fail_element(Kind kind, std::string_view what);
  bool fail_nesting();
  bool fail_count(std::size_t wanted, bool too_many);

  template <typename T>
  T* place() noexcept {
    return out_.mutable_values<T>().data() + done_;
  }
  [[nodiscard]] std::string_view dtype() const noexcept { return numpy_name(out_.dtype()); }

  JsonReader& json_;
  Tensor& out_;
  std::size_t done_ = 0;  // elements read
  TensorProblem problem_;
};

bool ElementReader::fail(Kind kind, std::string message) {
  problem_ = {kind, std::move(message)};
  return false;
}

bool ElementReader::fail_element(Kind kind, std::string_view what) {
  return fail(kind, "has as element " + std::to_string(done_) + " " + std::string(what) + " " +
                        std::string(dtype()));
}

bool ElementReader::fail_nesting() {
  return fail(Kind::kShape, "is not nested as its shape " + out_.shape().to_string());
}

bool ElementReader::fail_count(std::size_t wanted, bool too_many) {
  return fail(Kind::kShape, std::string(too_many ? "has more" : "has fewer") + " than " +
                                std::to_string(wanted) + " elements where its shape " +
                                out_.shape().to_string() + " wants them");
}

bool ElementReader::read(bool flat) {
  const Shape& shape = out_.shape();
  if (shape.rank() == 0 && !flat) {
    return read_scalar();
  }
  if (json_.type() != JsonType::kArray) {
    return fail(Kind::kType, "must be an array");
  }
  json_.begin_array();
  if (shape.rank() == 0 || (flat && json_.peek() != '[')) {
    return read_run(out_.elements());
  }
  return read_level(0);
}

// The shape's rank bounds the recursion.
bool ElementReader::read_level(std::size_t axis) {
  const auto size = static_cast<std::size_t>(out_.shape()[axis]);
  if (axis + 1 == out_.shape().rank()) {
    return read_run(size);
  }
  std::size_t count = 0;
  for (; json_.next_item(); ++count) {
    if (count == size) {
      return fail_count(size, true);
    }
    if (json_.type() != JsonType::kArray) {
      return fail_nesting();
    }
    json_.begin_array();
    if (!read_level(axis + 1)) {
      return false;
    }
  }
  return count == size || fail_count(size, false);
}

bool ElementReader::read_run(std::size_t count) {
  const std::string_view text = json_.rest();
  const char* begin = text.data();
  const char* end = begin + text.size();
  const kernels::Table& kernel = kernels::active();
  switch (out_.dtype()) {
    case DType::kFloat32:
      return settle(kernel.parse_float32(begin, end, place<float>(), count), done_ + count);
    case DType::kInt64:
      return settle(kernel.parse_int64(begin, end, place<std::int64_t>(), count), done_ + count);
    case DType::kUint8: return read_narrow<std::uint8_t>(count);
    case DType::kUint16: return read_narrow<std::uint16_t>(count);
    case DType::kUint32: return read_narrow<std::uint32_t>(count);
    case DType::kInt8: return read_narrow<std::int8_t>(count);
    case DType::kInt16: return read_narrow<std::int16_t>(count);
    case DType::kInt32: return read_narrow<std::int32_t>(count);
    case DType::kUint64:
      return read_each(count, JsonType::kNumber, [this] { return read_uint64(); });
    case DType::kFloat64:
      return read_each(count, JsonType::kNumber, [this] { return read_float64(); });
    case DType::kBool:
      return read_each(count, JsonType::kBool, [this] {
        *place<std::uint8_t>() = json_.boolean() ? 1 : 0;
        return true;
      });
    case DType::kBytes:
      return read_each(count, JsonType::kString, [this] {
        *place<std::string>() = json_.string();
        return true;
      });
    case DType::kFloat16:
    case DType::kBfloat16: break;
  }
  return fail(Kind::kType, "has a 16-bit float datatype, which JSON cannot express");
}

// Takes over from a kernel that parsed a run which is to end at element `end`.
bool ElementReader::settle(const kernels::ParseResult& parsed, std::size_t end) {
  const std::size_t wanted = end - done_;
  done_ += parsed.count;
  json_.resume(parsed.stop);
  const char next = json_.peek();
  switch (parsed.error) {
    case kernels::ParseError::kCapacity: return fail_count(wanted, true);
    case kernels::ParseError::kOutOfRange:
      return fail_element(Kind::kRange, "a number too large for");
    case kernels::ParseError::kNotInteger: return fail_element(Kind::kType, "a number that is no");
    case kernels::ParseError::kNone:
    case kernels::ParseError::kSyntax: break;
  }
  if (next != ']' || parsed.error == kernels::ParseError::kSyntax) {
    return next == '[' ? fail_nesting() : fail_element(Kind::kType, "something that is no");
  }
  json_.next_item();
  return done_ == end || fail_count(wanted, false);
}

// False at a number that T does not have.
template <typename T>
bool ElementReader::take_narrow(std::span<const std::int64_t> wide) {
  for (const std::int64_t value : wide) {
    if (!std::in_range<T>(value)) {
      return fail_element(Kind::kRange, "a number out of the range of");
    }
    *place<T>() = static_cast<T>(value);
    ++done_;
  }
  return true;
}

// Through int64, a piece at a time.
template <typename T>
bool ElementReader::read_narrow(std::size_t count) {
  std::array<std::int64_t, 256> wide;  // not cleared: runs are short, and it is long
  const std::size_t end = done_ + count;
  while (true) {
    const std::string_view text = json_.rest();
    const kernels::ParseResult parsed = kernels::active().parse_int64(
        text.data(), text.data() + text.size(), wide.data(), std::min(wide.size(), end - done_));
    if (!take_narrow<T>(std::span(wide).first(parsed.count))) {
      return false;
    }
    if (parsed.error != kernels::ParseError::kCapacity || done_ == end) {
      return settle({parsed.stop, 0, parsed.error}, end);
    }
    json_.resume(parsed.stop);
  }
}

template <typename Read>
bool ElementReader::read_each(std::size_t count, JsonType wanted, Read read) {
  const std::size_t end = done_ + count;
  for (; json_.next_item(); ++done_) {
    if (done_ == end) {
      return fail_count(count, true);
    }
    const JsonType type = json_.type();
    if (type == JsonType::kArray) {
      return fail_nesting();
    }
    if (type != wanted) {
      return fail_element(Kind::kType, "something that is no");
    }
    if (!read()) {
      return false;
    }
  }
  return done_ == end || fail_count(count, false);
}

bool ElementReader::read_float64() {
  const std::string_view text = json_.number();
  const char* begin = text.data();
  const char* end = begin + text.size();
  double& value = *place<double>();
  if (std::from_chars(begin, end, value).ec != std::errc::result_out_of_range) {
    return true;
  }
  // from_chars does not say on which side it is out of range; a float32 of the same text does.
  float small = 0;
  if (kernels::active().parse_float32(begin, end, &small, 1).error != kernels::ParseError::kNone) {
    return fail_element(Kind::kRange, "a number too large for");
  }
  value = small;
  return true;
}

bool ElementReader::read_uint64() {
  const std::string_view text = json_.number();
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [stop, error] = std::from_chars(begin, end, *place<std::uint64_t>());
  if (text.find_first_of(".eE") != std::string_view::npos) {
    return fail_element(Kind::kType, "something that is no");
  }
  return (error == std::errc{} && stop == end) ||
         fail_element(Kind::kRange, "a number out of the range of");
}

// A bare value is read as the one element of an array, so that there is one reader for each dtype.
bool ElementReader::read_scalar() {
  if (json_.type() == JsonType::kArray) {
    return fail_nesting();
  }
  std::string array(1, '[');
  array.append(json_.skip()).push_back(']');
  JsonReader inner(array);
  inner.begin_array();
  ElementReader element(inner, out_);
  if (!element.read_run(1)) {
    problem_ = element.take_problem();
    return false;
  }
  return true;
}

std::optional<TensorProblem> check_size(const TensorForm& form,
                                        const Shape& shape,
                                        std::size_t text_size) {
  const auto elements = shape.elements();
  const auto bytes =
      elements ? checked_multiply(*elements, static_cast<std::int64_t>(dtype_size(form.dtype)))
               : std::nullopt;
  if (!bytes) {
    return TensorProblem{Kind::kShape,
                         "has a negative or too large dimension in its shape " + shape.to_string()};
  }
  // Before anything is allocated: an element takes a character at least.
  if (static_cast<std::size_t>(*elements) > text_size) {
    return TensorProblem{Kind::kShape,
                         "has fewer elements than its shape " + shape.to_string() + " wants"};
  }
  if (static_cast<std::size_t>(*bytes) > form.max_bytes) {
    return TensorProblem{Kind::kSize, "would take " + std::to_string(*bytes) +
                                          " bytes in memory, the limit is " +
                                          std::to_string(form.max_bytes)};
  }
  return std::nullopt;
}

bool has_free_dimension(const Shape& shape) noexcept {
  return std::any_of(shape.dims().begin(), shape.dims().end(),
                     [](auto size) { return size == -1; });
}

}  // namespace

bool has_json_form(DType dtype) noexcept {
  return dtype != DType::kFloat16 && dtype != DType::kBfloat16;
}

std::optional<TensorProblem> read_tensor(JsonReader& json, const TensorForm& form, Tensor& out) {
  json.peek();
  const JsonReader::Mark start = json.mark();
  const std::string_view text = json.rest();
  const Shape shape = has_free_dimension(form.shape) ? scan_shape(text, form.shape) : form.shape;
  std::optional<TensorProblem> problem = check_size(form, shape, text.size());
  if (!problem) {
    Tensor tensor = Tensor::allocate(form.dtype, shape);
    ElementReader reader(json, tensor);
    if (reader.read(form.flat)) {
      out = std::move(tensor);
      return std::nullopt;
    }
    problem = reader.take_problem();
  }
  json.rewind(start);
  json.skip();
  return problem;
}

}  // namespace maas
