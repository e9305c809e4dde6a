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

}  // namespace
}  // namespace maas
