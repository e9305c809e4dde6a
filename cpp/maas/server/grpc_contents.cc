// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_contents.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "maas/base/checked.h"
#include "maas/server/protobuf_reader.h"

namespace maas {
namespace {

using Kind = TensorProblem::Kind;
using Problem = std::optional<TensorProblem>;

// The lists of an InferTensorContents, by their numbers.
constexpr std::array<std::string_view, 9> kLists = {
    "",
    "bool_contents",
    "int_contents",
    "int64_contents",
    "uint_contents",
    "uint64_contents",
    "fp32_contents",
    "fp64_contents",
    "bytes_contents",
};

// 0 for those that only raw_input_contents can bring.
std::uint32_t list_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kBool: return 1;
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32: return 2;
    case DType::kInt64: return 3;
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32: return 4;
    case DType::kUint64: return 5;
    case DType::kFloat32: return 6;
    case DType::kFloat64: return 7;
    case DType::kBytes: return 8;
    case DType::kFloat16:
    case DType::kBfloat16: break;
  }
  return 0;
}

TensorProblem wrong_count(const TensorForm& form) {
  return {Kind::kShape,
          "has another number of elements than its shape " + form.shape.to_string() + " takes"};
}

TensorProblem too_large(const TensorForm& form, std::int64_t bytes) {
  return {Kind::kSize, "would take " + std::to_string(bytes) + " bytes in memory, the limit is " +
                           std::to_string(form.max_bytes)};
}

// The bits of a number, as a value of T; false when T does not hold it.
template <typename T>
bool convert(std::uint64_t bits, T& value) noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    value = bits != 0;
    return true;
  } else if constexpr (std::is_signed_v<T>) {
    // The 32 bits of an int32, or those with its sign before them.
    const bool is_short = sizeof(T) < sizeof bits && std::in_range<std::uint32_t>(bits);
    const auto number = is_short ? static_cast<std::int32_t>(static_cast<std::uint32_t>(bits))
                                 : static_cast<std::int64_t>(bits);
    value = static_cast<T>(number);
    return std::in_range<T>(number);
  } else {
    value = static_cast<T>(bits);
    return std::in_range<T>(bits);
  }
}

// Where the next elements go.
template <typename T>
class Filling {
 public:
  Filling(const TensorForm& form, std::span<T> out) : form_(form), out_(out) {}

  Problem add(const ProtobufField& field) {
    if constexpr (std::is_floating_point_v<T>) {
      return add_floats(field);
    } else {
      return add_numbers(field);
    }
  }
  [[nodiscard]] Problem end() const {
    return out_.empty() ? Problem() : Problem(wrong_count(form_));
  }

 private:
  Problem add_numbers(const ProtobufField& field) {
    if (field.type != WireType::kBytes) {
      return add_number(field.as_varint());
    }
    Problem problem;
    for (std::string_view rest = field.bytes; !rest.empty() && !problem;) {
      problem = add_number(take_varint(rest));
    }
    return problem;
  }
  Problem add_number(std::uint64_t bits) {
    if (out_.empty()) {
      return wrong_count(form_);
    }
    if (!convert(bits, out_.front())) {
      return TensorProblem{
          Kind::kRange,
          "has an element that " + std::string(protocol_name(form_.dtype)) + " cannot hold"};
    }
    out_ = out_.subspan(1);
    return {};
  }
  Problem add_floats(const ProtobufField& field) {
    constexpr WireType kAlone = sizeof(T) == 4 ? WireType::kFixed32 : WireType::kFixed64;
    const bool alone = field.type == kAlone;
    if (!alone && field.as_bytes().size() % sizeof(T) != 0) {
      refuse_message("a list of floats ends inside one");
    }
    const std::size_t count = alone ? 1 : field.bytes.size() / sizeof(T);
    if (count > out_.size()) {
      return wrong_count(form_);
    }
    if (count != 0) {
      std::memcpy(out_.data(), alone ? static_cast<const void*>(&field.value) : field.bytes.data(),
                  count * sizeof(T));
    }
    out_ = out_.subspan(count);
    return {};
  }

  const TensorForm& form_;
  std::span<T> out_;
};

// Calls `add` with each field of the list that the dtype has.
template <typename Add>
Problem for_each_field(const TensorForm& form, std::string_view message, Add add) {
  const std::uint32_t list = list_of(form.dtype);
  ProtobufReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != list && field->number < kLists.size()) {
      return TensorProblem{Kind::kType, "is of " + std::string(protocol_name(form.dtype)) +
                                            ", whose elements go into " +
                                            std::string(kLists[list]) + ", not into " +
                                            std::string(kLists[field->number])};
    }
    const Problem problem = field->number == list ? add(*field) : Problem();
    if (problem) {
      return problem;
    }
  }
  return {};
}

template <typename T>
Problem read_numbers(const TensorForm& form, std::string_view message, Tensor& out) {
  Filling<T> filling(form, out.mutable_values<T>());
  const Problem problem =
      for_each_field(form, message, [&](const ProtobufField& field) { return filling.add(field); });
  return problem ? problem : filling.end();
}

Problem read_strings(const TensorForm& form,
                     std::size_t elements,
                     std::string_view message,
                     Tensor& out) {
  std::vector<std::string> strings;
  std::size_t room = form.max_bytes;
  Problem problem = for_each_field(form, message, [&](const ProtobufField& field) -> Problem {
    const std::size_t needed = sizeof(std::string) + field.as_bytes().size();
    if (strings.size() == elements) {
      return wrong_count(form);
    }
    if (needed > room) {
      return too_large(form, static_cast<std::int64_t>(form.max_bytes - room + needed));
    }
    room -= needed;
    strings.emplace_back(field.bytes);
    return {};
  });
  if (!problem && strings.size() != elements) {
    problem = wrong_count(form);
  }
  if (!problem) {
    out = Tensor::from_strings(std::move(strings), form.shape);
  }
  return problem;
}

Problem read_numbers(const TensorForm& form, std::string_view message, Tensor& out) {
  switch (form.dtype) {
    case DType::kBool: return read_numbers<bool>(form, message, out);
    case DType::kInt8: return read_numbers<std::int8_t>(form, message, out);
    case DType::kInt16: return read_numbers<std::int16_t>(form, message, out);
    case DType::kInt32: return read_numbers<std::int32_t>(form, message, out);
    case DType::kInt64: return read_numbers<std::int64_t>(form, message, out);
    case DType::kUint8: return read_numbers<std::uint8_t>(form, message, out);
    case DType::kUint16: return read_numbers<std::uint16_t>(form, message, out);
    case DType::kUint32: return read_numbers<std::uint32_t>(form, message, out);
    case DType::kUint64: return read_numbers<std::uint64_t>(form, message, out);
    case DType::kFloat32: return read_numbers<float>(form, message, out);
    default: return read_numbers<double>(form, message, out);
  }
}

}  // namespace

std::optional<TensorProblem> read_contents(const TensorForm& form,
                                           std::string_view message,
                                           Tensor& out) {
  if (list_of(form.dtype) == 0) {
    return TensorProblem{Kind::kType, "is of " + std::string(protocol_name(form.dtype)) +
                                          ", which only raw_input_contents can bring"};
  }
  const auto elements = form.shape.elements();
  const auto bytes =
      elements ? checked_multiply(*elements, static_cast<std::int64_t>(dtype_size(form.dtype)))
               : std::nullopt;
  if (!bytes) {
    return TensorProblem{Kind::kShape, "has a negative or too large dimension in its shape " +
                                           form.shape.to_string()};
  }
  if (std::cmp_greater(*elements, message.size())) {  // each takes a byte or more
    return wrong_count(form);
  }
  if (std::cmp_greater(*bytes, form.max_bytes)) {
    return too_large(form, *bytes);
  }
  if (form.dtype == DType::kBytes) {
    return read_strings(form, static_cast<std::size_t>(*elements), message, out);
  }
  out = Tensor::allocate(form.dtype, form.shape);
  return read_numbers(form, message, out);
}

}  // namespace maas
