// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_response.h"

#include <memory>
#include <string>

#include "harness.h"
#include "protobuf_text.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

using testing::field;
using testing::input;

TEST(GrpcResponse, outputs_are_described_and_their_bytes_follow) {
  testing::Harness harness;
  Signature signature = testing::floats({2});
  signature.outputs.push_back({"t", DType::kBytes, Shape{}});
  const auto model = harness.serve("m", std::make_shared<testing::AddOne>(signature));
  Tensor y = Tensor::zeros(DType::kFloat32, {1, 2});
  y.mutable_values<float>()[1] = 2;
  const std::vector<Tensor> outputs = {y, Tensor::from_strings({"ab"}, {1})};
  const std::string floats = testing::bytes_of<float>({0, 2});
  const std::string head = field(1, "m") + field(2, "1");
  std::string message;
  write_grpc_response(*model, {}, outputs, message);
  EXPECT_EQ(message, head + field(5, input("y", "FP32", {1, 2})) +
                         field(5, input("t", "BYTES", {1})) + field(6, floats) +
                         field(6, std::string("\2\0\0\0ab", 6)));
  message.clear();
  write_grpc_response(*model, {.id = "7", .outputs = {{.index = 0, .classes = 1}}}, outputs,
                      message);
  EXPECT_EQ(message, head + field(3, "7") + field(5, input("y", "BYTES", {1, 1})) +
                         field(6, std::string("\3\0\0\0", 4) + "2:1"));
}

}  // namespace
}  // namespace maas
