// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/padding.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::any_floats;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::floats;
using ::testing::HasSubstr;

Signature texts() {
  return {.inputs = {{"ids", DType::kInt64, Shape{-1}},
                     {"mask", DType::kInt32, Shape{-1}, true},
                     {"table", DType::kFloat32, Shape{2, -1, 3}, true},
                     {"size", DType::kFloat32, Shape{2}, true}},
          .outputs = {{"tags", DType::kInt64, Shape{-1}}, {"pooled", DType::kFloat32, Shape{3}}}};
}

Tensor ids(const Shape& shape) {
  Tensor tensor = Tensor::allocate(DType::kInt64, shape);
  std::int64_t next = 1;
  for (std::int64_t& value : tensor.mutable_values<std::int64_t>()) {
    value = next++;
  }
  return tensor;
}

std::string refusal(const Signature& signature, const BatchOptions& options) {
  try {
    const Padding padding(signature, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "accepted";
}

bool equal(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    return false;
  }
  if (a.dtype() == DType::kBytes) {
    return std::equal(a.strings().begin(), a.strings().end(), b.strings().begin());
  }
  return a.byte_size() == 0 || std::memcmp(a.data(), b.data(), a.byte_size()) == 0;
}

TEST(Padding, without_pad_nothing_is_changed) {
  const Padding padding(any_floats(), {});
  std::vector<Tensor> inputs = {floats({2, 3})};
  EXPECT_FALSE(padding.enabled());
  EXPECT_EQ(*padding.prepare(inputs, 2), 0);
  EXPECT_EQ(padding.axis(0), std::nullopt);
  const Tensor output = floats({2, 3});
  EXPECT_EQ(padding.cut(0, output, 0, 0).data(), output.data());
  const std::vector<Tensor> parts = {floats({1, 2}), floats({2, 2}, 5)};
  EXPECT_THAT(padding.stack(0, parts, 0).values<float>(), ElementsAre(0, 1, 5, 6, 7, 8));
}

TEST(Padding, options_that_do_not_fit_the_signature_are_refused_by_name) {
  EXPECT_THAT(refusal(texts(), {.pad = {{"x"}}}), HasSubstr("pad names 'x', which is no input"));
  EXPECT_THAT(refusal(texts(), {.pad = {{"x"}}}), HasSubstr("ids, mask, table, size"));
  EXPECT_THAT(refusal(texts(), {.pad = {{"size"}}}), HasSubstr("exactly one dimension of -1"));
  EXPECT_THAT(refusal(texts(), {.pad = {{"ids"}}, .mask = "m"}), HasSubstr("mask names 'm'"));
  EXPECT_THAT(refusal(texts(), {.pad = {{"ids"}}, .mask = "size"}), HasSubstr("mask names 'size'"));
  EXPECT_THAT(refusal(texts(), {.pad = {{"ids", 0.5}}}), HasSubstr("cannot hold"));
  EXPECT_THAT(refusal(any_floats(), {.pad = {{"x"}}}), HasSubstr("exactly one dimension of -1"));
  Signature signature = texts();
  signature.inputs[0].row = Shape{-1, -1};
  EXPECT_THAT(refusal(signature, {.pad = {{"ids"}}}), HasSubstr("exactly one dimension of -1"));
  signature = texts();
  signature.inputs[0].shape_tensor = true;
  EXPECT_THAT(refusal(signature, {.pad = {{"ids"}}}), HasSubstr("pad names 'ids'"));
  signature = texts();
  signature.batch_dim = false;
  EXPECT_THAT(refusal(signature, {.pad = {{"ids"}}}), HasSubstr("pad names 'ids'"));
  signature = texts();
  signature.outputs[1].row.reset();
  EXPECT_THAT(refusal(signature, {.pad = {{"ids"}}}), HasSubstr("declared outputs"));
}

class PaddingTest : public ::testing::Test {
 protected:
  const Padding padding_{texts(), {.pad = {{"ids", -1}, {"table", 0.5}}, .mask = "mask"}};
};

TEST_F(PaddingTest, the_padded_axis_counts_the_rows) {
  EXPECT_TRUE(padding_.enabled());
  EXPECT_EQ(padding_.axis(0), 1U);
  EXPECT_EQ(padding_.axis(1), 1U);
  EXPECT_EQ(padding_.axis(2), 2U);
  EXPECT_EQ(padding_.axis(3), std::nullopt);
}

TEST_F(PaddingTest, the_mask_is_supplied_where_it_is_missing_and_only_there) {
  std::vector<Tensor> inputs = {ids({2, 5}), {}, {}, {}};
  EXPECT_EQ(*padding_.prepare(inputs, 2), 5);
  EXPECT_EQ(inputs[1].shape(), (Shape{2, 5}));
  EXPECT_EQ(inputs[1].dtype(), DType::kInt32);
  EXPECT_THAT(inputs[1].values<std::int32_t>(), Each(1));
  EXPECT_TRUE(inputs[2].is_absent());
  const Tensor own = Tensor::zeros(DType::kInt32, {2, 5});
  inputs[1] = own;
  EXPECT_EQ(*padding_.prepare(inputs, 2), 5);
  EXPECT_EQ(inputs[1].data(), own.data());
}

TEST_F(PaddingTest, inputs_of_one_request_that_differ_in_length_are_refused_by_name) {
  std::vector<Tensor> inputs = {ids({1, 5}), {}, floats({1, 2, 4, 3}), {}};
  const auto refused = padding_.prepare(inputs, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().message(), "inputs 'ids' and 'table' differ in length: 5 and 4");
}

TEST_F(PaddingTest, a_request_may_be_empty) {
  std::vector<Tensor> inputs = {ids({2, 0}), {}, {}, {}};
  EXPECT_EQ(*padding_.prepare(inputs, 2), 0);
  EXPECT_EQ(inputs[1].shape(), (Shape{2, 0}));
  EXPECT_FALSE(inputs[1].is_absent());
  const std::vector<Tensor> parts = {inputs[0], ids({1, 2})};
  EXPECT_THAT(padding_.stack(0, parts, 2).values<std::int64_t>(),
              ElementsAre(-1, -1, -1, -1, 1, 2));
  EXPECT_EQ(padding_.cut(0, ids({2, 2}), 2, 0).shape(), (Shape{2, 0}));
}

TEST_F(PaddingTest, each_input_is_filled_up_with_its_own_value_and_the_mask_with_zeros) {
  const std::vector<Tensor> rows = {ids({1, 1}), ids({2, 3})};
  EXPECT_THAT(padding_.stack(0, rows, 3).values<std::int64_t>(),
              ElementsAre(1, -1, -1, 1, 2, 3, 4, 5, 6));
  std::vector<Tensor> inputs = {ids({1, 1}), {}, {}, {}};
  EXPECT_TRUE(padding_.prepare(inputs, 1));
  const std::vector<Tensor> masks = {inputs[1], Tensor::zeros(DType::kInt32, {1, 2})};
  EXPECT_THAT(padding_.stack(1, masks, 2).values<std::int32_t>(), ElementsAre(1, 0, 0, 0));
  const std::vector<Tensor> tables = {floats({1, 2, 1, 3}), floats({1, 2, 2, 3})};
  const Tensor table = padding_.stack(2, tables, 2);
  EXPECT_EQ(table.shape(), (Shape{2, 2, 2, 3}));
  EXPECT_THAT(table.rows(0, 1).values<float>(),
              ElementsAre(0, 1, 2, 0.5, 0.5, 0.5, 3, 4, 5, 0.5, 0.5, 0.5));
}

TEST_F(PaddingTest, outputs_are_cut_only_along_what_has_the_padded_length) {
  EXPECT_THAT(padding_.cut(0, ids({2, 3}), 3, 2).values<std::int64_t>(), ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(padding_.cut(0, ids({2, 7}), 3, 2).shape(), (Shape{2, 7}));
  EXPECT_EQ(padding_.cut(1, floats({2, 3}), 3, 2).shape(), (Shape{2, 3}));
  const Tensor whole = ids({2, 3});
  EXPECT_EQ(padding_.cut(0, whole, 3, 3).data(), whole.data());
}

Tensor random_tensor(DType dtype, const Shape& shape, std::mt19937& random) {
  Tensor tensor = Tensor::allocate(dtype, shape);
  if (dtype == DType::kBytes) {
    for (std::string& text : tensor.mutable_values<std::string>()) {
      text.assign(random() % 40, static_cast<char>('a' + random() % 26));
    }
    return tensor;
  }
  auto* bytes = static_cast<unsigned char*>(tensor.mutable_data());
  std::generate_n(bytes, tensor.byte_size(), [&] { return static_cast<unsigned char>(random()); });
  return tensor;
}

// What an identity would answer: stacked, and each request's rows cut back.
void expect_own_values(const Padding& padding,
                       std::size_t index,
                       const std::vector<Tensor>& parts,
                       const std::vector<std::int64_t>& lengths) {
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const Tensor whole = padding.stack(index, parts, longest);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::int64_t rows = parts[i].shape()[0];
    ASSERT_TRUE(equal(padding.cut(index, whole.rows(first, rows), longest, lengths[i]), parts[i]));
    first += rows;
  }
  ASSERT_EQ(first, whole.shape()[0]);
}

TEST(Padding, stacking_and_cutting_gives_each_request_its_own_values) {
  const std::vector<TensorSpec> specs = {
      {"a", DType::kInt64, Shape{-1}},    {"b", DType::kFloat32, Shape{-1, 3}},
      {"c", DType::kUint8, Shape{2, -1}}, {"d", DType::kBytes, Shape{2, -1, 2}},
      {"e", DType::kBytes, Shape{-1}},    {"f", DType::kFloat16, Shape{4, -1}}};
  BatchOptions options;
  for (const TensorSpec& spec : specs) {
    options.pad.push_back({spec.name});
  }
  const Padding padding({.inputs = specs, .outputs = specs}, options);
  std::mt19937 random(1);
  const auto parts_of = [&](std::size_t index, const std::vector<std::int64_t>& lengths) {
    std::vector<Tensor> parts;
    parts.reserve(lengths.size());
    for (const std::int64_t length : lengths) {
      Shape shape = specs[index].row->with_leading(1 + static_cast<std::int64_t>(random() % 3));
      shape.set(*padding.axis(index), length);
      parts.push_back(random_tensor(specs[index].dtype, shape, random));
    }
    return parts;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> lengths(1 + random() % 5);
    std::generate(lengths.begin(), lengths.end(), [&] { return random() % 6; });
    for (std::size_t index = 0; index < specs.size(); ++index) {
      expect_own_values(padding, index, parts_of(index, lengths), lengths);
    }
  }
}

}  // namespace
}  // namespace maas
