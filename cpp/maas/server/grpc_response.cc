// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_response.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "maas/server/binary_tensor.h"
#include "maas/server/protobuf_writer.h"

namespace maas {
namespace {

constexpr std::size_t kRoomForHeads = 256;  // bytes about each output beside its contents

// An InferOutputTensor.
std::string describe(std::string_view name, const Tensor& tensor) {
  std::string shape;
  for (const std::int64_t size : tensor.shape().dims()) {
    append_varint(shape, static_cast<std::uint64_t>(size));
  }
  std::string message;
  append_protobuf(message, 1, name);
  append_protobuf(message, 2, protocol_name(tensor.dtype()));
  append_protobuf(message, 3, shape);
  return message;
}

}  // namespace

void write_grpc_response(const ServedModel& model,
                         const InferOptions& options,
                         const std::vector<Tensor>& outputs,
                         std::string& message) {
  append_protobuf(message, 1, model.name());
  append_protobuf(message, 2, std::to_string(model.version()));
  if (options.id) {
    append_protobuf(message, 3, *options.id);
  }
  std::vector<Tensor> raw;
  std::size_t size = message.size();
  const Signature& signature = model.model().signature();
  const std::size_t count = options.outputs.empty() ? outputs.size() : options.outputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const OutputChoice choice = options.outputs.empty() ? OutputChoice{i} : options.outputs[i];
    const TensorSpec& spec = signature.outputs.at(choice.index);
    const Tensor output = chosen_form(choice, signature, outputs.at(choice.index));
    append_protobuf(message, 5, describe(spec.name, output));
    raw.push_back(binary_form(output));
    size += raw.back().byte_size() + kRoomForHeads;
  }
  message.reserve(size);
  for (const Tensor& tensor : raw) {
    append_protobuf(message, 6, {static_cast<const char*>(tensor.data()), tensor.byte_size()});
  }
}

}  // namespace maas
