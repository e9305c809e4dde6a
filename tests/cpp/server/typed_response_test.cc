// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_response.h"

#include <cmath>
#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

Tensor floats_of(const Shape& shape, std::initializer_list<float> values) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape);
  std::copy(values.begin(), values.end(), tensor.mutable_values<float>().begin());
  return tensor;
}

struct TypedResponse : ::testing::Test {
  TypedResponse() {
    endpoint.model = harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({3})));
    endpoint.fields = {{"x", DType::kFloat32, Shape{3}, true}};
  }
  std::string write(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs = {}) {
    std::string body;
    write_typed_response(endpoint, inputs, outputs, body);
    return body;
  }
  ErrorCode refusal(const std::vector<Tensor>& outputs) {
    try {
      write(outputs);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kNotFound;
  }

  testing::Harness harness;
  EndpointSpec endpoint;
};

TEST_F(TypedResponse, an_output_without_a_field_is_the_whole_answer) {
  endpoint.outputs = {OutputSpec{}};
  EXPECT_EQ(write({floats_of({1, 3}, {1, 0.5F, -2})}), "[1.0,0.5,-2.0]");
  EXPECT_EQ(write({floats_of({1, 2, 1}, {1, 2})}), "[[1.0],[2.0]]");
  EXPECT_EQ(write({floats_of({1}, {7})}), "7.0");
}

TEST_F(TypedResponse, fields_make_an_object) {
  endpoint.outputs = {testing::output("a", 1), testing::output("b\"", 0, {ops::argmax()})};
  EXPECT_EQ(write({floats_of({1, 3}, {1, 3, 2}), floats_of({1, 1}, {4})}),
            R"({"a":[4.0],"b\"":1})");
}

TEST_F(TypedResponse, one_named_field_is_an_object_too) {
  endpoint.outputs = {testing::output("a")};
  EXPECT_EQ(write({floats_of({1, 1}, {4})}), R"({"a":[4.0]})");
}

TEST_F(TypedResponse, the_greatest_come_with_their_labels) {
  OutputSpec spec;
  spec.render = Render::kTopK;
  spec.k = 2;
  endpoint.outputs = {spec};
  const Tensor scores = floats_of({1, 3}, {0.25F, 0.5F, 0.125F});
  EXPECT_EQ(write({scores}), R"([{"label":1,"score":0.5},{"label":0,"score":0.25}])");
  endpoint.outputs[0].labels = {"cat", "d\"g"};
  EXPECT_EQ(write({scores}), R"([{"label":"d\"g","score":0.5},{"label":"cat","score":0.25}])");
  endpoint.outputs[0].k = 9;
  EXPECT_THAT(write({scores}), ::testing::EndsWith(R"(,{"label":2,"score":0.125}])"));
  endpoint.outputs[0].k = 1;
  EXPECT_EQ(write({floats_of({1, 2, 2}, {1, 0, 0, 1})}),
            R"([[{"label":"cat","score":1.0}],[{"label":"d\"g","score":1.0}]])");
}

TEST_F(TypedResponse, operations_find_the_fields_of_the_request) {
  Signature signature = testing::floats({1});
  signature.inputs.push_back({"mask", DType::kInt64, Shape{2}});
  endpoint.model = harness.serve("masked", std::make_shared<testing::AddOne>(signature));
  endpoint.fields = {{"x", DType::kFloat32, Shape{1}, true},
                     {"mask", DType::kInt64, Shape{2}, true}};
  endpoint.outputs = {testing::output("", 0, {ops::mean_pool("mask")})};
  Tensor mask = Tensor::zeros(DType::kInt64, Shape{1, 2});
  mask.mutable_values<std::int64_t>()[1] = 1;
  EXPECT_EQ(write({floats_of({1, 2, 2}, {1, 2, 3, 4})}, {floats_of({1, 1}, {0}), mask}),
            "[3.0,4.0]");
}

TEST_F(TypedResponse, half_floats_are_written_as_numbers) {
  endpoint.outputs = {OutputSpec{}};
  Tensor half = Tensor::zeros(DType::kFloat16, Shape{1, 2});
  half.mutable_values<std::uint16_t>()[1] = 0x3E00;  // 1.5
  EXPECT_EQ(write({half}), "[0.0,1.5]");
}

TEST_F(TypedResponse, what_cannot_be_written_is_refused) {
  endpoint.outputs = {OutputSpec{}};
  EXPECT_EQ(refusal({floats_of({1, 1}, {NAN})}), ErrorCode::kInvalidArgument);
  endpoint.outputs[0].field = "a";
  EXPECT_EQ(refusal({Tensor::from_strings({"\xFF"}, Shape{1})}), ErrorCode::kInvalidArgument);
  endpoint.outputs[0].ops = {ops::softmax()};
  EXPECT_EQ(refusal({Tensor::zeros(DType::kInt64, Shape{1, 2})}), ErrorCode::kInternal);
}

TEST_F(TypedResponse, a_model_without_a_batch_dimension_answers_its_shape) {
  Signature whole = testing::floats(Shape{2});
  whole.batch_dim = false;
  endpoint.model = harness.serve("whole", std::make_shared<testing::AddOne>(whole), 1);
  endpoint.outputs = {OutputSpec{}};
  EXPECT_EQ(write({floats_of({2}, {1, 2})}), "[1.0,2.0]");
}

}  // namespace
}  // namespace maas
