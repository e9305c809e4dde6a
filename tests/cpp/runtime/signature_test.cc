// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/signature.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Signature two_inputs() {
  return {.inputs = {{"image", DType::kFloat32, Shape{8, 8}}, {"mask", DType::kInt64, Shape{-1}}},
          .outputs = {{"logits", DType::kFloat32, Shape{10}}}};
}

Tensor image(std::int64_t rows) {
  return Tensor::zeros(DType::kFloat32, {rows, 8, 8});
}

Tensor mask(std::int64_t rows) {
  return Tensor::zeros(DType::kInt64, {rows, 5});
}

std::string refusal(const Signature& signature, const std::vector<Tensor>& inputs) {
  const auto rows = check_inputs(signature, inputs);
  if (rows) {
    return "accepted";
  }
  EXPECT_EQ(rows.error().code(), ErrorCode::kInvalidArgument);
  return rows.error().message();
}

TEST(Signature, finds_tensors_by_name) {
  const Signature signature = two_inputs();
  EXPECT_EQ(signature.find_input("mask"), 1U);
  EXPECT_EQ(signature.find_output("logits"), 0U);
  EXPECT_FALSE(signature.find_input("logits"));
  EXPECT_FALSE(signature.find_output(""));
}

TEST(Signature, the_wire_shape_has_the_rows_before_the_declared_one) {
  Signature signature = two_inputs();
  EXPECT_EQ(signature.wire_shape(signature.inputs[0]), (Shape{-1, 8, 8}));
  EXPECT_EQ(signature.wire_shape({"any", DType::kFloat32, {}}), Shape{-1});
  EXPECT_EQ(signature.wire_shape({"scalar", DType::kFloat32, Shape{}}), Shape{-1});
  signature.batch_dim = false;
  EXPECT_EQ(signature.wire_shape(signature.inputs[0]), (Shape{8, 8}));
}

TEST(Signature, inputs_are_fixed_when_no_request_can_make_a_row_larger) {
  const TensorSpec fixed{"x", DType::kFloat32, Shape{2, 3}};
  EXPECT_TRUE((Signature{{fixed}, {}}).has_fixed_inputs());
  EXPECT_FALSE((Signature{{fixed, {"ids", DType::kInt64, Shape{-1}}}, {}}).has_fixed_inputs());
  EXPECT_FALSE((Signature{{{"any", DType::kFloat32, std::nullopt}}, {}}).has_fixed_inputs());
  EXPECT_FALSE((Signature{{{"text", DType::kBytes, Shape{}}}, {}}).has_fixed_inputs());
  TensorSpec size{"size", DType::kInt64, Shape{2}};
  size.shape_tensor = true;
  EXPECT_FALSE((Signature{{fixed, size}, {}}).has_fixed_inputs());
}

TEST(CheckInputs, counts_the_rows) {
  EXPECT_EQ(*check_inputs(two_inputs(), {image(3), mask(3)}), 3);
  EXPECT_EQ(*check_inputs({}, {}), 1);
}

TEST(CheckInputs, refuses_what_does_not_fit_and_names_it) {
  const Signature signature = two_inputs();
  EXPECT_THAT(refusal(signature, {image(1)}), HasSubstr("takes 2 inputs, not 1"));
  EXPECT_THAT(refusal(signature, {image(1), mask(1), mask(1)}), HasSubstr("not 3"));
  EXPECT_THAT(refusal(signature, {image(1), Tensor::zeros(DType::kFloat32, {1, 5})}),
              AllOf(HasSubstr("'mask'"), HasSubstr("FP32"), HasSubstr("INT64")));
  EXPECT_THAT(refusal(signature, {Tensor::zeros(DType::kFloat32, {1, 8, 9}), mask(1)}),
              AllOf(HasSubstr("'image'"), HasSubstr("[1, 8, 9]"), HasSubstr("[-1, 8, 8]")));
  EXPECT_THAT(refusal(signature, {Tensor::zeros(DType::kFloat32, {8, 8}), mask(1)}),
              HasSubstr("[8, 8]"));
  EXPECT_THAT(refusal(signature, {image(2), mask(3)}),
              AllOf(HasSubstr("'mask' has 3 rows"), HasSubstr("another input has 2")));
  EXPECT_THAT(refusal(signature, {image(0), mask(0)}), HasSubstr("has no rows"));
}

TEST(CheckInputs, without_a_declared_shape_takes_any_that_has_rows) {
  const Signature signature{.inputs = {{"x", DType::kFloat32, {}}}, .outputs = {}};
  EXPECT_EQ(*check_inputs(signature, {image(4)}), 4);
  EXPECT_EQ(*check_inputs(signature, {Tensor::zeros(DType::kFloat32, {2})}), 2);
  EXPECT_THAT(refusal(signature, {Tensor::zeros(DType::kFloat32, {})}), HasSubstr("has no rows"));
  EXPECT_THAT(refusal(signature, {Tensor()}), HasSubstr("'x' is missing"));
  EXPECT_THAT(refusal(signature, {mask(1)}), HasSubstr("datatype"));
}

TEST(CheckInputs, an_optional_input_may_be_absent) {
  Signature signature{.inputs = {{"x", DType::kFloat32, {}}, {"mask", DType::kInt64, {}}},
                      .outputs = {}};
  EXPECT_THAT(refusal(signature, {image(2), Tensor()}), HasSubstr("'mask' is missing"));
  signature.inputs[1].optional = true;
  EXPECT_EQ(*check_inputs(signature, {image(2), Tensor()}), 2);
}

TEST(CheckInputs, a_shape_tensor_has_no_rows) {
  const Signature signature{
      .inputs = {{"x", DType::kFloat32, {}},
                 {.name = "size", .dtype = DType::kInt64, .row = Shape{2}, .shape_tensor = true}},
      .outputs = {}};
  EXPECT_EQ(*check_inputs(signature, {image(3), Tensor::zeros(DType::kInt64, {2})}), 3);
  EXPECT_THAT(refusal(signature, {image(3), Tensor::zeros(DType::kInt64, {3, 2})}),
              HasSubstr("'size' has shape [3, 2], the model wants [2]"));
}

TEST(CheckInputs, without_a_batch_dimension_is_always_one_row) {
  Signature signature = two_inputs();
  signature.batch_dim = false;
  EXPECT_EQ(*check_inputs(signature, {Tensor::zeros(DType::kFloat32, {8, 8}),
                                      Tensor::zeros(DType::kInt64, {0})}),
            1);
  EXPECT_THAT(refusal(signature, {image(1), mask(1)}), HasSubstr("[1, 8, 8]"));
}

}  // namespace
}  // namespace maas
