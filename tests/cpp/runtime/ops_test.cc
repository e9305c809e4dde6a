// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/ops.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor floats(const Shape& shape, std::uint32_t seed = 1) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape);
  for (float& value : tensor.mutable_values<float>()) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<float>(seed >> 8U) / 16777216.0F * 8.0F - 4.0F;
  }
  return tensor;
}

Tensor bytes(const Shape& shape) {
  Tensor tensor = Tensor::allocate(DType::kUint8, shape);
  std::uint32_t seed = 7;
  for (std::uint8_t& value : tensor.mutable_values<std::uint8_t>()) {
    seed = seed * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(seed >> 24U);
  }
  return tensor;
}

std::vector<float> values(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

Tensor applied(const OpPtr& op, const Tensor& x) {
  return op->apply(x, nullptr);
}

void expect_near(const Tensor& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.elements(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_NEAR(got.values<float>()[i], wanted[i], 1e-5 * std::max(1.0, std::abs(wanted[i]))) << i;
  }
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "accepted";
}

// Each row of `x` through `row`, which writes as many numbers as it reads.
std::vector<double> by_row(const Tensor& x,
                           std::size_t cols,
                           const std::function<void(const float*, double*)>& row) {
  std::vector<double> out(x.elements());
  for (std::size_t i = 0; i < x.elements(); i += cols) {
    row(x.values<float>().data() + i, out.data() + i);
  }
  return out;
}

TEST(Scale, multiplies_and_shifts_floats_and_bytes) {
  const Tensor x = floats({3, 5, 7});
  const Tensor scaled = applied(ops::scale(0.5F, -2.0F), x);
  EXPECT_EQ(scaled.shape(), x.shape());
  std::vector<double> wanted;
  for (const float value : x.values<float>()) {
    wanted.push_back(value * 0.5 - 2.0);
  }
  expect_near(scaled, wanted);
  wanted.clear();
  const Tensor pixels = bytes({2, 33});
  for (const std::uint8_t value : pixels.values<std::uint8_t>()) {
    wanted.push_back(value / 16.0 + 1);
  }
  expect_near(applied(ops::scale(1.0F / 16, 1.0F), pixels), wanted);
  EXPECT_EQ(applied(ops::scale(2, 0), floats({0, 4})).shape(), (Shape{0, 4}));
}

TEST(Normalise, turns_images_into_planes) {
  const std::vector<float> mean = {0.5F, 0.4F, 0.3F};
  const std::vector<float> deviation = {0.2F, 0.25F, 0.5F};
  const Tensor images = bytes({2, 5, 7, 3});
  const Tensor planes = applied(ops::normalise(mean, deviation, 1.0F / 255), images);
  EXPECT_EQ(planes.shape(), (Shape{2, 3, 5, 7}));
  std::vector<double> wanted(planes.elements());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t image = i / 105;
    const std::size_t c = i / 35 % 3;
    const double value = images.values<std::uint8_t>()[image * 105 + i % 35 * 3 + c] / 255.0;
    wanted[i] = (value - mean[c]) / deviation[c];
  }
  expect_near(planes, wanted);
  EXPECT_EQ(applied(ops::normalise({0}, {1}, 1), bytes({1, 0, 4, 1})).elements(), 0U);
}

TEST(Normalise, wants_one_mean_and_a_positive_deviation_per_channel) {
  EXPECT_THAT(refusal([] { ops::normalise({}, {}, 1); }), HasSubstr("one mean and one std"));
  EXPECT_THAT(refusal([] { ops::normalise({1, 2}, {1}, 1); }), HasSubstr("one mean and one std"));
  EXPECT_THAT(refusal([] { ops::normalise({1}, {0}, 1); }), HasSubstr("above 0"));
  EXPECT_THAT(refusal([] { ops::normalise({1}, {NAN}, 1); }), HasSubstr("above 0"));
  const OpPtr op = ops::normalise({0, 0, 0}, {1, 1, 1}, 1);
  EXPECT_THAT(refusal([&] { (void)applied(op, bytes({1, 4, 4, 1})); }),
              AllOf(HasSubstr("height, width, 3]"), HasSubstr("[1, 4, 4, 1]")));
  EXPECT_THAT(refusal([&] { (void)applied(op, floats({1, 4, 4, 3})); }), HasSubstr("not float32"));
  EXPECT_THAT(refusal([&] { (void)applied(op, bytes({4, 4, 3})); }), HasSubstr("[4, 4, 3]"));
}

void softmax_by_definition(const float* in, std::int64_t n, double* out) {
  std::transform(in, in + n, out, [](float value) { return std::exp(double{value}); });
  const double sum = std::accumulate(out, out + n, 0.0);
  std::transform(out, out + n, out, [&](double value) { return value / sum; });
}

TEST(Softmax, is_the_exponential_divided_by_the_sum_of_its_row) {
  for (const std::int64_t cols : {1, 2, 10, 33}) {
    const Tensor x = floats({4, 3, cols});
    const auto wanted =
        by_row(x, static_cast<std::size_t>(cols),
               [&](const float* in, double* out) { softmax_by_definition(in, cols, out); });
    expect_near(applied(ops::softmax(), x), wanted);
  }
}

TEST(L2Normalise, divides_a_row_by_its_length) {
  const Tensor x = floats({5, 19});
  const auto wanted = by_row(x, 19, [](const float* in, double* out) {
    double square = 0;
    for (int i = 0; i < 19; ++i) {
      square += static_cast<double>(in[i]) * in[i];
    }
    for (int i = 0; i < 19; ++i) {
      out[i] = in[i] / std::sqrt(square);
    }
  });
  expect_near(applied(ops::l2_normalise(), x), wanted);
  EXPECT_THAT(values(applied(ops::l2_normalise(), Tensor::zeros(DType::kFloat32, {1, 3}))),
              ElementsAre(0, 0, 0));
}

TEST(Argmax, is_the_first_of_the_greatest_and_drops_the_last_dimension) {
  Tensor x = Tensor::zeros(DType::kFloat32, {2, 2, 3});
  const std::vector<float> numbers = {1, 3, 2, 5, 5, 4, -1, -2, -1, 0, 0, 9};
  std::copy(numbers.begin(), numbers.end(), x.mutable_values<float>().begin());
  const Tensor best = applied(ops::argmax(), x);
  EXPECT_EQ(best.dtype(), DType::kInt64);
  EXPECT_EQ(best.shape(), (Shape{2, 2}));
  EXPECT_THAT(best.values<std::int64_t>(), ElementsAre(1, 0, 0, 2));
  EXPECT_EQ(applied(ops::argmax(), floats({4})).shape().rank(), 0U);
}

TEST(TopK, is_descending_with_the_lower_index_first_among_equals) {
  const Tensor x = floats({6, 40});
  const TopKResult top = top_k(x, 5);
  EXPECT_EQ(top.values.shape(), (Shape{6, 5}));
  EXPECT_EQ(top.indices.shape(), (Shape{6, 5}));
  for (std::size_t row = 0; row < 6; ++row) {
    const float* const in = x.values<float>().data() + row * 40;
    std::vector<std::int64_t> order(40);
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<std::int64_t>(i);
    }
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return in[a] > in[b]; });
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(top.indices.values<std::int64_t>()[row * 5 + i], order[i]);
      EXPECT_EQ(top.values.values<float>()[row * 5 + i], in[order[i]]);
    }
  }
  EXPECT_THAT(top_k(Tensor::zeros(DType::kFloat32, {1, 4}), 3).indices.values<std::int64_t>(),
              ElementsAre(0, 1, 2));
}

TEST(TopK, takes_no_more_than_there_are) {
  EXPECT_EQ(top_k(floats({2, 3}), 100).values.shape(), (Shape{2, 3}));
  EXPECT_EQ(top_k(floats({2, 3}), 0).values.shape(), (Shape{2, 1}));
  EXPECT_EQ(top_k(floats({0, 3}), 2).values.shape(), (Shape{0, 2}));
}

TEST(MeanPool, is_the_mean_of_the_tokens_that_the_mask_keeps) {
  const Tensor x = floats({2, 3, 9});
  Tensor mask = Tensor::zeros(DType::kInt64, {2, 3});
  const std::vector<std::int64_t> kept = {1, 0, 1, 0, 0, 0};
  std::copy(kept.begin(), kept.end(), mask.mutable_values<std::int64_t>().begin());
  const Op::Lookup find = [&](std::string_view name) {
    return name == "attention_mask" ? &mask : nullptr;
  };
  const Tensor pooled = ops::mean_pool("attention_mask")->apply(x, find);
  EXPECT_EQ(pooled.shape(), (Shape{2, 9}));
  std::vector<double> wanted(18);
  for (std::size_t i = 0; i < 9; ++i) {
    wanted[i] = (static_cast<double>(x.values<float>()[i]) + x.values<float>()[18 + i]) / 2;
  }
  expect_near(pooled, wanted);
  const auto refuse = [&](const char* name, const Op::Lookup& lookup, const Tensor& input) {
    return refusal([&] { (void)ops::mean_pool(name)->apply(input, lookup); });
  };
  EXPECT_THAT(refuse("other", find, x), HasSubstr("no input 'other'"));
  EXPECT_THAT(refuse("attention_mask", nullptr, x), HasSubstr("'attention_mask'"));
  EXPECT_THAT(refuse("attention_mask", find, floats({2, 4, 9})), HasSubstr("mask [2, 4]"));
  EXPECT_THAT(refuse("attention_mask", find, floats({2, 3})), HasSubstr("float32 [2, 3]"));
}

void expect_refused(const OpPtr& op, const Tensor& x) {
  EXPECT_THAT(refusal([&] { (void)applied(op, x); }),
              AllOf(HasSubstr(std::string(op->name()) + " takes float32"),
                    HasSubstr(x.shape().to_string())));
}

TEST(Ops, refuse_what_they_cannot_take_and_say_what_it_is) {
  for (const OpPtr& op : {ops::softmax(), ops::argmax(), ops::l2_normalise()}) {
    for (const Tensor& x :
         {bytes({2, 3}), floats({}), floats({2, 0}), Tensor::zeros(DType::kInt64, {2, 3})}) {
      expect_refused(op, x);
    }
    EXPECT_EQ(applied(op, floats({0, 3})).elements(), 0U);
  }
  EXPECT_THAT(refusal([] { (void)top_k(bytes({2, 3}), 1); }), HasSubstr("top_k takes float32"));
  EXPECT_THAT(refusal([] { (void)applied(ops::scale(1, 0), Tensor::zeros(DType::kInt64, {2})); }),
              HasSubstr("scale takes float32 or uint8, not int64 [2]"));
}

TEST(Ops, a_rows_result_does_not_depend_on_the_rows_beside_it) {
  const Tensor x = floats({13, 37});
  for (const OpPtr& op :
       {ops::scale(0.3F, 0.1F), ops::softmax(), ops::argmax(), ops::l2_normalise()}) {
    const Tensor all = applied(op, x);
    for (std::int64_t row = 0; row < 13; ++row) {
      const Tensor alone = applied(op, x.rows(row, 1));
      const Tensor shared = all.rows(row, 1);
      ASSERT_EQ(alone.byte_size(), shared.byte_size());
      EXPECT_TRUE(std::equal(static_cast<const char*>(alone.data()),
                             static_cast<const char*>(alone.data()) + alone.byte_size(),
                             static_cast<const char*>(shared.data())))
          << op->name();
    }
  }
}

TEST(ApplyOps, goes_from_left_to_right_and_leaves_its_input_alone) {
  const Tensor x = Tensor::zeros(DType::kUint8, {1, 2});
  const Tensor y = apply_ops({ops::scale(1, 3), ops::scale(2, 0), ops::softmax()}, x, nullptr);
  EXPECT_THAT(values(y), ElementsAre(0.5F, 0.5F));
  EXPECT_THAT(values(apply_ops({ops::scale(1, 3), ops::scale(2, 0)}, x, nullptr)),
              ElementsAre(6, 6));
  EXPECT_THAT(x.values<std::uint8_t>(), ElementsAre(0, 0));
  EXPECT_EQ(apply_ops({}, x, nullptr).data(), x.data());
}

}  // namespace
}  // namespace maas
