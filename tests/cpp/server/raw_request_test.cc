// SPDX-License-Identifier: Apache-2.0
#include "maas/server/raw_request.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Signature one(DType dtype, std::optional<Shape> row, bool batch_dim = true) {
  return {.inputs = {{"x", dtype, row}}, .outputs = {}, .batch_dim = batch_dim};
}

Tensor read(const Signature& signature, std::string_view bytes) {
  std::vector<Tensor> inputs;
  read_raw_request({{}, bytes, true}, signature, 1000, inputs);
  return inputs.at(0);
}

std::string refusal(const Signature& signature, std::string_view bytes) {
  try {
    read(signature, bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "accepted";
}

TEST(RawRequest, the_one_free_dimension_follows_from_the_bytes) {
  EXPECT_EQ(read(one(DType::kFloat32, Shape{2}), std::string(24, 'x')).shape(), (Shape{3, 2}));
  EXPECT_EQ(read(one(DType::kUint8, Shape{2, -1}), std::string(8, 'x')).shape(), (Shape{1, 2, 4}));
  EXPECT_EQ(read(one(DType::kUint8, Shape{-1}, false), "abc").shape(), (Shape{3}));
  EXPECT_EQ(read(one(DType::kUint8, Shape{3}, false), "abc").shape(), (Shape{3}));
}

TEST(RawRequest, of_bytes_it_is_one_element) {
  const Tensor text = read(one(DType::kBytes, Shape{1}), "whole body");
  EXPECT_EQ(text.shape(), (Shape{1, 1}));
  EXPECT_THAT(text.strings(), ElementsAre("whole body"));
}

TEST(RawRequest, a_model_that_is_not_made_for_it_is_named) {
  EXPECT_THAT(refusal(one(DType::kFloat32, std::nullopt), "1234"), HasSubstr("variable dimension"));
  EXPECT_THAT(refusal(one(DType::kFloat32, Shape{-1, -1}), "1234"), HasSubstr("[-1, -1, -1]"));
  EXPECT_THAT(refusal(one(DType::kFloat32, Shape{2}), "12345"), HasSubstr("5 bytes"));
  EXPECT_THAT(refusal(one(DType::kFloat32, Shape{2}, false), "12345"), HasSubstr("5 bytes"));
  EXPECT_THAT(refusal(one(DType::kBytes, Shape{2}), "a"), HasSubstr("one element of BYTES"));
  Signature two = one(DType::kFloat32, Shape{2});
  two.inputs.push_back({"y", DType::kFloat32, Shape{2}});
  EXPECT_THAT(refusal(two, "12345678"), HasSubstr("several"));
  two.inputs[1].optional = true;
  EXPECT_EQ(read(two, "12345678").shape(), (Shape{1, 2}));
}

}  // namespace
}  // namespace maas
