// SPDX-License-Identifier: Apache-2.0
#include "maas/server/raw_request.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "maas/base/checked.h"
#include "maas/base/error.h"
#include "maas/server/binary_tensor.h"

namespace maas {
namespace {

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

std::size_t the_input(const Signature& signature) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    if (signature.inputs[i].optional) {
      continue;
    }
    if (found) {
      fail("a request without JSON is for models with one input, and this one has several");
    }
    found = i;
  }
  return found.value_or(0);
}

// The product of the dimensions that are given; nothing when it overflows.
std::optional<std::int64_t> product_of_given(const Shape& shape) noexcept {
  std::optional<std::int64_t> product = 1;
  for (const std::int64_t size : shape.dims()) {
    product = product && size >= 0 ? checked_multiply(*product, size) : product;
  }
  return product;
}

// `wire` with its one free dimension filled; with two, one of them the rows, that is one row.
Shape shape_for(const Signature& signature, const TensorSpec& spec, std::size_t bytes) {
  Shape shape = signature.wire_shape(spec);
  const auto is_free = [](std::int64_t size) { return size < 0; };
  auto free = std::count_if(shape.dims().begin(), shape.dims().end(), is_free);
  if (free == 2 && signature.has_rows(spec)) {
    shape.set(0, 1);
    free = 1;
  }
  if (!spec.row || free > 1) {
    fail(
        "a request without JSON is for models whose input has at most one variable dimension; "
        "input '" +
        spec.name + "' has the shape " + shape.to_string());
  }
  const auto given = product_of_given(shape);
  const std::size_t size = dtype_size(spec.dtype);
  if (free == 1) {
    const std::size_t one = given ? static_cast<std::size_t>(*given) * size : 0;
    if (one == 0 || bytes % one != 0) {
      fail("the body has " + std::to_string(bytes) + " bytes, which are no whole number of " +
           std::to_string(one) + " for input '" + spec.name + "' of shape " + shape.to_string());
    }
    const auto dims = shape.dims();
    const auto axis = std::find_if(dims.begin(), dims.end(), is_free) - dims.begin();
    shape.set(static_cast<std::size_t>(axis), static_cast<std::int64_t>(bytes / one));
  }
  return shape;
}

}  // namespace

void read_raw_request(const InferBody& body,
                      const Signature& signature,
                      std::size_t max_bytes,
                      std::vector<Tensor>& inputs) {
  const std::size_t index = the_input(signature);
  const TensorSpec& spec = signature.inputs.at(index);
  inputs.clear();
  inputs.resize(signature.inputs.size());
  if (spec.dtype == DType::kBytes) {
    const Shape wire = signature.wire_shape(spec);
    const Shape one = Shape(std::vector<std::int64_t>(wire.rank(), 1));
    if (!spec.row || !one.fits(wire)) {
      fail("a request without JSON is one element of BYTES, and input '" + spec.name +
           "' has the shape " + wire.to_string());
    }
    inputs[index] = Tensor::from_strings({std::string(body.tensors)}, one);
    return;
  }
  const TensorForm form{spec.dtype, shape_for(signature, spec, body.tensors.size()), true,
                        max_bytes};
  if (const auto problem = read_binary_tensor(form, body.tensors, body.memory, inputs[index])) {
    fail("input '" + spec.name + "' " + problem->message);
  }
}

}  // namespace maas
