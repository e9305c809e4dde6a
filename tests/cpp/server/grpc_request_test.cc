// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_request.h"

#include <string>

#include "protobuf_text.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::bytes_of;
using ::testing::ElementsAre;
using testing::field;
using ::testing::HasSubstr;
using testing::input;
using testing::number;
using testing::packed;
using testing::parameter;

Signature two_inputs() {
  return {.inputs = {{"x", DType::kFloat32, Shape{2}},
                     {.name = "n", .dtype = DType::kInt64, .row = Shape{}, .optional = true}},
          .outputs = {{"y", DType::kFloat32, Shape{2}}, {"z", DType::kBytes, Shape{}}}};
}

struct Asked {
  std::vector<Tensor> inputs{};
  InferOptions options{};
};

Asked ask(std::string_view message, std::size_t most = 1000) {
  Asked asked;
  read_grpc_request(message, two_inputs(), most, asked.inputs, asked.options);
  return asked;
}

std::string problem(std::string_view message, std::size_t most = 1000) {
  try {
    ask(message, most);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

std::string x() {
  return field(5, input("x", "FP32", {1, 2}));
}
std::string raw() {
  return field(7, bytes_of<float>({1, 2}));
}

TEST(GrpcRequest, it_says_which_model_it_is_for) {
  const std::string message = x() + raw() + field(2, "3") + field(1, "m");
  EXPECT_EQ(read_grpc_target(message).model, "m");
  EXPECT_EQ(read_grpc_target(message).version, "3");
  EXPECT_THROW(read_grpc_target(x()), Error);
  EXPECT_THROW(read_grpc_target(field(1, "\xff")), Error);
}

TEST(GrpcRequest, raw_contents_belong_to_the_inputs_in_their_order) {
  const Asked asked =
      ask(field(5, input("n", "INT64", {1})) + x() + field(7, bytes_of<std::int64_t>({7})) + raw());
  EXPECT_THAT(asked.inputs[0].values<float>(), ElementsAre(1, 2));
  EXPECT_EQ(asked.inputs[0].shape(), (Shape{1, 2}));
  EXPECT_THAT(asked.inputs[1].values<std::int64_t>(), ElementsAre(7));
  EXPECT_TRUE(asked.options.binary_output);
}

TEST(GrpcRequest, contents_may_stand_in_the_inputs) {
  const std::string contents = field(5, field(6, bytes_of<float>({3, 4})));
  const Asked asked = ask(field(5, input("x", "FP32", {1, 2}) + contents));
  EXPECT_THAT(asked.inputs[0].values<float>(), ElementsAre(3, 4));
  EXPECT_TRUE(asked.inputs[1].is_absent());
  // Dimensions that are not packed, and fields that nobody knows.
  const std::string loose =
      field(1, "x") + field(2, "FP32") + number(3, 1) + number(3, 2) + number(99, 1) + contents;
  EXPECT_EQ(ask(field(5, loose) + field(98, "x")).inputs[0].shape(), (Shape{1, 2}));
}

TEST(GrpcRequest, id_parameters_and_outputs_are_kept) {
  const std::string classified =
      field(1, "y") + field(2, parameter("classification", number(2, 1)));
  const Asked asked = ask(field(3, "me") + field(4, parameter("priority", number(2, 2))) + x() +
                          raw() + field(6, field(1, "z")) + field(6, classified));
  EXPECT_EQ(asked.options.id, "me");
  EXPECT_EQ(asked.options.urgency.priority, 2);
  ASSERT_EQ(asked.options.outputs.size(), 2U);
  EXPECT_EQ(asked.options.outputs[0].index, 1U);
  EXPECT_EQ(asked.options.outputs[1].classes, 1);
}

TEST(GrpcRequest, what_is_wrong_is_named) {
  EXPECT_EQ(problem(""), "input 'x' is missing");
  EXPECT_EQ(problem(x() + x() + raw() + raw()), "input 'x' appears twice");
  EXPECT_THAT(problem(x() + x() + x()), HasSubstr("more inputs than the model, which takes 2"));
  EXPECT_THAT(problem(x() + raw() + raw()), HasSubstr("2 entries for 1 inputs"));
  EXPECT_THAT(problem(x() + field(7, "abc")), HasSubstr("input 'x' has 3 bytes of binary data"));
  EXPECT_THAT(problem(field(5, input("w", "FP32", {1})) + raw()), HasSubstr("no input 'w'"));
  EXPECT_THAT(problem(field(5, input("x", "FP33", {1})) + raw()), HasSubstr("'FP33' is unknown"));
  EXPECT_THAT(problem(field(5, input("x", "FP32", {-1})) + raw()), HasSubstr("0 or more"));
  EXPECT_THAT(problem(field(5, input("x", "FP32", {1, 1, 1, 1, 1, 1, 1, 1, 2})) + raw()),
              HasSubstr("more than 8 dimensions"));
  EXPECT_THAT(problem(x() + raw() + field(6, field(1, "w"))), HasSubstr("no output 'w'"));
  EXPECT_THAT(problem(x() + raw() + field(6, field(1, "y")) + field(6, field(1, "y"))),
              HasSubstr("asked for twice"));
  EXPECT_THAT(problem(x() + raw() + field(3, "a\nb")), HasSubstr("control characters"));
  const std::string contents = field(5, field(6, bytes_of<float>({1, 2})));
  EXPECT_THAT(problem(field(5, input("x", "FP32", {1, 2}) + contents) + raw()),
              HasSubstr("input 'x' has contents besides raw_input_contents"));
  EXPECT_THAT(problem(field(5, input("x", "FP32", {1, 2}) + contents + contents)),
              HasSubstr("contents twice"));
  EXPECT_THAT(problem(number(5, 1)), HasSubstr("malformed"));
}

TEST(GrpcRequest, memory_is_bounded_over_all_inputs) {
  const std::string n = field(5, input("n", "INT64", {1}) + field(5, field(3, packed({1}))));
  const std::string both =
      field(5, input("x", "FP32", {1, 2}) + field(5, field(6, bytes_of<float>({1, 2})))) + n;
  EXPECT_EQ(problem(both, 16), "");
  EXPECT_THAT(problem(both, 15), HasSubstr("input 'n' would take 8 bytes in memory"));
}

}  // namespace
}  // namespace maas
