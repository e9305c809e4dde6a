// SPDX-License-Identifier: Apache-2.0
// A model of every datatype, and requests that it is asked with.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "maas/base/error.h"
#include "maas/server/v2_request.h"

namespace maas::fuzz {

inline constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// An input for each datatype, named after it in numpy's words, all optional, of any shape.
inline Signature every_dtype() {
  Signature signature;
  for (std::size_t i = 0; i < kDTypes; ++i) {
    TensorSpec spec;
    spec.dtype = static_cast<DType>(i);
    spec.name = numpy_name(spec.dtype);
    spec.optional = true;
    signature.inputs.push_back(spec);
    spec.optional = false;
    signature.outputs.push_back(spec);
  }
  return signature;
}

struct Asked {
  bool accepted = false;
  std::vector<Tensor> inputs{};
  InferOptions options{};
};

// Reads a request of so many bytes; a refusal is one of the client's mistakes, told in few words.
template <typename Read>
Asked ask(std::size_t bytes, Read read) {
  Asked asked;
  try {
    read(asked);
    asked.accepted = true;
  } catch (const Error& error) {
    require(error.code() == ErrorCode::kInvalidArgument || error.code() == ErrorCode::kTooLarge);
    require(!error.message().empty() && error.message().size() < 1000);
    asked.inputs.clear();
  }
  std::size_t held = 0;
  for (const Tensor& input : asked.inputs) {
    const auto elements = input.shape().elements();
    require(elements && static_cast<std::size_t>(*elements) == input.elements());
    held += input.is_absent() ? 0 : input.held_bytes();
  }
  require(held <= kMostBytes + bytes);
  return asked;
}

inline Asked ask(const InferBody& body, const Signature& signature) {
  return ask(body.tensors.size(), [&](Asked& asked) {
    read_infer_request(body, signature, kMostBytes, asked.inputs, asked.options);
  });
}

// Bit by bit; strings by their characters.
inline bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape() || a.is_absent() != b.is_absent()) {
    return false;
  }
  if (a.dtype() == DType::kBytes) {
    return std::equal(a.strings().begin(), a.strings().end(), b.strings().begin());
  }
  const auto* const bytes = static_cast<const char*>(a.data());
  return a.elements() == 0 ||
         std::equal(bytes, bytes + a.byte_size(), static_cast<const char*>(b.data()));
}

}  // namespace maas::fuzz
