// SPDX-License-Identifier: Apache-2.0
// A ModelInferRequest as gRPC brings it. What is accepted is written again, with the tensors as raw
// contents, and read once more: it must be the same.
#include <cstdint>
#include <string>

#include "inference.h"

#include "maas/server/binary_tensor.h"
#include "maas/server/grpc_request.h"
#include "maas/server/protobuf_writer.h"

namespace {

using maas::fuzz::Asked;
using maas::fuzz::require;

Asked ask(std::string_view message, const maas::Signature& signature) {
  return maas::fuzz::ask(message.size(), [&](Asked& asked) {
    maas::read_grpc_request(message, signature, maas::fuzz::kMostBytes, asked.inputs,
                            asked.options);
  });
}

std::string written(const Asked& asked, const maas::Signature& signature) {
  std::string described;
  std::string contents;
  for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
    const maas::Tensor& tensor = asked.inputs[i];
    if (tensor.is_absent()) {
      continue;
    }
    std::string shape;
    for (const std::int64_t size : tensor.shape().dims()) {
      maas::append_varint(shape, static_cast<std::uint64_t>(size));
    }
    std::string input;
    maas::append_protobuf(input, 1, signature.inputs[i].name);
    maas::append_protobuf(input, 2, maas::protocol_name(tensor.dtype()));
    maas::append_protobuf(input, 3, shape);
    maas::append_protobuf(described, 5, input);
    const maas::Tensor raw = maas::binary_form(tensor);
    maas::append_protobuf(contents, 7, {static_cast<const char*>(raw.data()), raw.byte_size()});
  }
  return described + contents;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const maas::Signature signature = maas::fuzz::every_dtype();
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  try {
    require(!maas::read_grpc_target(message).model.empty());
  } catch (const maas::Error& error) {
    require(error.code() == maas::ErrorCode::kInvalidArgument);
  }
  const Asked asked = ask(message, signature);
  if (asked.accepted) {
    const Asked again = ask(written(asked, signature), signature);
    require(again.accepted && asked.inputs.size() == again.inputs.size());
    for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
      require(maas::fuzz::same(asked.inputs[i], again.inputs[i]));
    }
  }
  return 0;
}
