// SPDX-License-Identifier: Apache-2.0
// The binary tensor data extension: two bytes say how long the header field claims the JSON to be,
// the rest is the body. It is read once from where it stands, as a large body is, and once by
// copying, as a small one is; both must come to the same tensors.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "inference.h"

#include "maas/server/binary_tensor.h"
#include "maas/server/byte_buffer.h"
#include "maas/server/inference_header.h"

namespace {

using maas::fuzz::require;

// The body behind memory that stays, with its tensors aligned.
struct Received {
  maas::ByteBuffer buffer;
  std::vector<maas::Header> fields;
  maas::HttpRequest http;
};

void receive(std::string_view body, std::string_view length, Received& into) {
  into.fields = {{maas::kInferenceHeader, length}};
  into.http.headers = into.fields;
  if (const auto json = maas::inference_header_length(into.http)) {
    into.buffer.align(*json);
  }
  into.buffer.reserve(body.size());
  into.buffer.append(body);
  into.http.body = into.buffer.view();
  into.http.memory = into.buffer.lend();
}

void check(const maas::HttpRequest& http, const maas::Signature& signature) {
  maas::InferBody body;
  try {
    body = maas::split_infer_body(http);
  } catch (const maas::Error& error) {
    require(error.code() == maas::ErrorCode::kInvalidArgument);
    return;
  }
  require(body.json.size() + body.tensors.size() == http.body.size());
  const maas::fuzz::Asked asked = maas::fuzz::ask(body, signature);
  maas::InferBody copied = body;
  copied.memory = nullptr;
  const maas::fuzz::Asked other = maas::fuzz::ask(copied, signature);
  require(asked.inputs.size() == other.inputs.size());
  for (std::size_t i = 0; i < asked.inputs.size() && asked.accepted && other.accepted; ++i) {
    require(maas::fuzz::same(asked.inputs[i], other.inputs[i]));
    // Each byte came out of the request.
    require(asked.inputs[i].dtype() != maas::DType::kBytes || asked.inputs[i].is_absent() ||
            maas::binary_form(asked.inputs[i]).byte_size() <= 8 * http.body.size() + 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const maas::Signature all = maas::fuzz::every_dtype();
  static const std::vector<maas::Signature> alone = [] {
    std::vector<maas::Signature> made;
    for (const maas::TensorSpec& input : all.inputs) {
      maas::TensorSpec only = input;
      only.row = maas::Shape{3};
      made.push_back({.inputs = {only}, .outputs = all.outputs});
    }
    return made;
  }();
  if (size < 2) {
    return 0;
  }
  const unsigned said = data[0] | static_cast<unsigned>(data[1]) << 8U;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  Received received;
  const std::string length = std::to_string(said);
  receive(body, length, received);
  check(received.http, all);
  if (said == 0) {
    check(received.http, alone[body.size() % alone.size()]);
  }
  return 0;
}
