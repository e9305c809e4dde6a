// SPDX-License-Identifier: Apache-2.0
#include "maas/server/infer_options.h"

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

Signature outputs(DType first, DType second) {
  return {.inputs = {}, .outputs = {{"y", first, Shape{}}, {"z", second, Shape{}}}};
}

TEST(InferOptions, what_changes_the_answer_is_no_default) {
  EXPECT_TRUE(InferOptions{}.is_default());
  EXPECT_FALSE((InferOptions{.id = ""}.is_default()));
  EXPECT_FALSE((InferOptions{.binary_output = true}.is_default()));
  EXPECT_FALSE((InferOptions{.outputs = {{}}}.is_default()));
}

TEST(InferOptions, half_floats_must_be_binary) {
  const Signature half = outputs(DType::kFloat32, DType::kBfloat16);
  EXPECT_THROW(check_outputs({}, half), Error);
  EXPECT_NO_THROW(check_outputs({.binary_output = true}, half));
  EXPECT_NO_THROW(check_outputs({.outputs = {{.index = 0}}}, half));
  EXPECT_NO_THROW(check_outputs({.outputs = {{.index = 1, .binary = true}}}, half));
  EXPECT_THROW(
      check_outputs({.outputs = {{.index = 1, .binary = false}}, .binary_output = true}, half),
      Error);
}

TEST(InferOptions, only_what_has_an_order_has_classes) {
  const Signature texts = outputs(DType::kFloat32, DType::kBytes);
  EXPECT_NO_THROW(check_outputs({.outputs = {{.index = 0, .classes = 2}}}, texts));
  EXPECT_THROW(check_outputs({.outputs = {{.index = 1, .classes = 2}}}, texts), Error);
}

TEST(InferOptions, ids_are_short_and_printable) {
  InferOptions options;
  set_id(std::string(256, 'x'), options);
  EXPECT_EQ(options.id->size(), 256U);
  EXPECT_THROW(set_id(std::string(257, 'x'), options), Error);
  EXPECT_THROW(set_id("a\x7f", options), Error);
}

TEST(InferOptions, an_output_is_asked_for_once) {
  const Signature two = outputs(DType::kFloat32, DType::kFloat32);
  InferOptions options;
  add_output({.index = 1}, two, options);
  add_output({.index = 0}, two, options);
  EXPECT_EQ(options.outputs.size(), 2U);
  EXPECT_THROW(add_output({.index = 1, .classes = 2}, two, options), Error);
}

TEST(InferOptions, inputs_may_be_missing_only_where_they_are_optional) {
  Signature signature = {.inputs = {{"x", DType::kFloat32, Shape{}}}, .outputs = {}};
  EXPECT_THROW(require_inputs({Tensor()}, signature), Error);
  EXPECT_NO_THROW(require_inputs({Tensor::zeros(DType::kFloat32, {1})}, signature));
  signature.inputs[0].optional = true;
  EXPECT_NO_THROW(require_inputs({Tensor()}, signature));
}

TEST(InferOptions, numbers_of_classes_are_whole) {
  EXPECT_EQ(read_classes_parameter("3"), 3);
  EXPECT_EQ(read_classes_parameter("0"), 0);
  for (const char* text : {"-1", "1.5", "\"1\"", "", "99999999999999999999"}) {
    EXPECT_THROW(read_classes_parameter(text), Error) << text;
  }
}

TEST(InferOptions, shared_memory_is_refused) {
  EXPECT_THROW(refuse_shared_memory("shared_memory_region"), Error);
  EXPECT_NO_THROW(refuse_shared_memory("sequence_id"));
}

TEST(InferOptions, a_choice_is_the_output_or_its_classes) {
  Signature signature = outputs(DType::kFloat32, DType::kFloat32);
  signature.batch_dim = true;
  const Tensor rows = Tensor::zeros(DType::kFloat32, {2, 3});
  EXPECT_EQ(chosen_form({.index = 0}, signature, rows).data(), rows.data());
  const Tensor classes = chosen_form({.index = 0, .classes = 2}, signature, rows);
  EXPECT_EQ(classes.dtype(), DType::kBytes);
  EXPECT_EQ(classes.shape(), (Shape{2, 2}));
}

}  // namespace
}  // namespace maas
