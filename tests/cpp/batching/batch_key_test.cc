// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_key.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

using testing::floats;
using Inputs = std::vector<Tensor>;

class BatchKeyTest : public ::testing::Test {
 protected:
  explicit BatchKeyTest(Signature signature = testing::any_floats(), BatchOptions options = {})
      : signature_(std::move(signature)), options_(std::move(options)) {}

  void expect_same(const Inputs& a, const Inputs& b) const {
    EXPECT_EQ(key_.hash(a), key_.hash(b));
    EXPECT_TRUE(key_.same(a, b));
    EXPECT_TRUE(key_.same(b, a));
  }
  void expect_different(const Inputs& a, const Inputs& b) const {
    EXPECT_NE(key_.hash(a), key_.hash(b));
    EXPECT_FALSE(key_.same(a, b));
    EXPECT_FALSE(key_.same(b, a));
  }

  const Signature signature_;
  const BatchOptions options_;
  const Padding padding_{signature_, options_};
  const BatchKey key_{signature_, padding_};
};

Tensor integers(const std::vector<std::int64_t>& values) {
  Tensor tensor = Tensor::allocate(DType::kInt64, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.mutable_values<std::int64_t>().begin());
  return tensor;
}

Tensor text(std::vector<std::string> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return Tensor::from_strings(std::move(values), shape);
}

TEST_F(BatchKeyTest, the_number_of_rows_and_the_values_do_not_count) {
  expect_same({floats({1, 2})}, {floats({5, 2}, 100)});
  expect_same({floats({1})}, {floats({5})});
}

TEST_F(BatchKeyTest, row_shapes_and_ranks_count) {
  expect_different({floats({1, 2})}, {floats({1, 3})});
  expect_different({floats({1, 2})}, {floats({1, 2, 1})});
  expect_different({floats({1, 2, 3})}, {floats({1, 3, 2})});
  expect_different({floats({1, 0})}, {floats({1})});
}

TEST_F(BatchKeyTest, datatypes_count) {
  expect_different({Tensor::zeros(DType::kFloat32, {1, 2})},
                   {Tensor::zeros(DType::kInt32, {1, 2})});
}

class BatchKeyOptionalTest : public BatchKeyTest {
 protected:
  BatchKeyOptionalTest()
      : BatchKeyTest({.inputs = {{"a", DType::kFloat32, {}},
                                 {.name = "b", .row = {}, .optional = true},
                                 {.name = "c", .row = {}, .optional = true}},
                      .outputs = {}}) {}
};

TEST_F(BatchKeyOptionalTest, which_optional_inputs_are_there_counts) {
  const Tensor x = floats({1, 2});
  expect_same({x, {}, {}}, {x, {}, {}});
  expect_same({x, x, {}}, {floats({4, 2}), floats({4, 2}), {}});
  expect_different({x, x, {}}, {x, {}, x});
  expect_different({x, x, x}, {x, x, {}});
  expect_different({x, Tensor::zeros(DType::kFloat32, {1}), {}}, {x, {}, {}});
}

class BatchKeyShapeTensorTest : public BatchKeyTest {
 protected:
  BatchKeyShapeTensorTest()
      : BatchKeyTest({.inputs = {{"x", DType::kFloat32, {}},
                                 {.name = "size",
                                  .dtype = DType::kInt64,
                                  .row = Shape{-1},
                                  .optional = true,
                                  .shape_tensor = true},
                                 {.name = "mode",
                                  .dtype = DType::kBytes,
                                  .row = Shape{-1},
                                  .optional = true,
                                  .shape_tensor = true}},
                      .outputs = {}}) {}
};

TEST_F(BatchKeyShapeTensorTest, the_values_and_the_whole_shape_of_a_shape_tensor_count) {
  const Tensor x = floats({1, 2});
  expect_same({x, integers({3, 4}), {}}, {floats({2, 2}), integers({3, 4}), {}});
  expect_different({x, integers({3, 4}), {}}, {x, integers({4, 3}), {}});
  expect_different({x, integers({3, 4}), {}}, {x, integers({3, 4, 5}), {}});
  expect_different({x, integers({3}), {}}, {x, {}, {}});
  expect_different({x, integers({}), {}}, {x, {}, {}});
  expect_same({x, integers({}), {}}, {x, integers({}), {}});
}

TEST_F(BatchKeyShapeTensorTest, strings_are_compared_by_what_they_say) {
  const Tensor x = floats({1, 2});
  const std::string far(100, 'a');  // not within the string object
  expect_same({x, {}, text({far, "b"})}, {x, {}, text({far, "b"})});
  expect_different({x, {}, text({far, "b"})}, {x, {}, text({far, "c"})});
  expect_different({x, {}, text({"ab", ""})}, {x, {}, text({"a", "b"})});
  expect_different({x, {}, text({""})}, {x, {}, text({"", ""})});
}

class BatchKeyPaddedTest : public BatchKeyTest {
 protected:
  BatchKeyPaddedTest()
      : BatchKeyTest(
            {.inputs = {{"x", DType::kFloat32, Shape{2, -1}}, {"y", DType::kFloat32, Shape{-1}}},
             .outputs = {}},
            {.max_batch_size = 4, .pad = {{"x"}}}) {}
};

TEST_F(BatchKeyPaddedTest, only_the_padded_dimension_does_not_count) {
  const Tensor y = floats({1, 3});
  expect_same({floats({1, 2, 5}), y}, {floats({1, 2, 9}), y});
  expect_same({floats({1, 2, 0}), y}, {floats({1, 2, 9}), y});
  expect_different({floats({1, 2, 5}), y}, {floats({1, 3, 5}), y});
  expect_different({floats({1, 2, 5}), y}, {floats({1, 2, 5}), floats({1, 4})});
}

class BatchKeyWithoutRowsTest : public BatchKeyTest {
 protected:
  BatchKeyWithoutRowsTest()
      : BatchKeyTest({.inputs = {{"x", DType::kFloat32, {}}}, .outputs = {}, .batch_dim = false}) {}
};

TEST_F(BatchKeyWithoutRowsTest, every_dimension_counts) {
  expect_different({floats({1, 2})}, {floats({2, 2})});
  expect_same({floats({})}, {floats({})});
}

}  // namespace
}  // namespace maas
