// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "maas/server/json_reader.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What a JSON value must be to become a tensor.
struct TensorForm {
  DType dtype = DType::kFloat32;
  Shape shape;              // -1 for a dimension of any size
  bool flat = false;        // one flat array of all elements will do as well
  std::size_t max_bytes{};  // of memory that the tensor may take
};

// Why a JSON value is not the tensor that is wanted.
struct TensorProblem {
  enum class Kind : std::uint8_t {
    kType,   // not an array, or an element that is no value of the dtype
    kShape,  // another number of elements or another nesting
    kRange,  // an element too large for the dtype
    kSize,   // more memory than max_bytes
  };
  Kind kind = Kind::kType;
  std::string message;  // to be put behind the tensor's name: "must be an array"
};

// Reads the next value straight into a new tensor's memory. Whatever comes back, the value is read
// to its end; an error of syntax throws as JsonReader does.
// REQUIRES: a dtype that JSON can express: neither float16 nor bfloat16
std::optional<TensorProblem> read_tensor(JsonReader& json, const TensorForm& form, Tensor& out);

// False for the 16-bit floats: nothing says how a decimal is rounded to them.
bool has_json_form(DType dtype) noexcept;

}  // namespace maas
