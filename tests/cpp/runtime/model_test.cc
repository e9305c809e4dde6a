// SPDX-License-Identifier: Apache-2.0
#include "maas/runtime/model.h"

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::Each;

// Keeps the batches it gets and answers as it is told.
class Recorder final : public Model {
 public:
  explicit Recorder(Signature signature) : signature_(std::move(signature)) {}

  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "test"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    batches.push_back(std::move(batch));
    answer(std::move(done));
  }

  std::vector<Batch> batches;
  std::function<void(BatchDone)> answer = [](BatchDone done) { done(BatchResult{}); };

 private:
  Signature signature_;
};

class WarmUpTest : public ::testing::Test {
 protected:
  void warm_up(Recorder& model, std::int64_t rows) { model.warm_up(rows, {&arena_, 1}); }
  Arena arena_{1};
  Recorder model_{{.inputs = {{"x", DType::kFloat32, Shape{2, -1}}, {"s", DType::kBytes, Shape{}}},
                   .outputs = {}}};
};

TEST_F(WarmUpTest, runs_zeros_of_the_declared_shape_once) {
  warm_up(model_, 5);
  ASSERT_EQ(model_.batches.size(), 1U);
  const Batch& batch = model_.batches[0];
  EXPECT_EQ(batch.rows, 5);
  ASSERT_EQ(batch.inputs.size(), 2U);
  EXPECT_EQ(batch.inputs[0].shape(), (Shape{5, 2, 1}));
  EXPECT_THAT(batch.inputs[0].values<float>(), Each(0.0F));
  EXPECT_EQ(batch.inputs[1].shape(), Shape{5});
  EXPECT_THAT(batch.inputs[1].strings(), Each(""));
}

TEST_F(WarmUpTest, without_a_batch_dimension_the_shape_is_the_declared_one) {
  Recorder model(
      {.inputs = {{"x", DType::kInt8, Shape{-1, 3}}}, .outputs = {}, .batch_dim = false});
  warm_up(model, 1);
  EXPECT_EQ(model.batches.at(0).inputs.at(0).shape(), (Shape{1, 3}));
}

TEST_F(WarmUpTest, does_nothing_when_a_shape_is_not_declared) {
  Recorder model(
      {.inputs = {{"x", DType::kFloat32, Shape{2}}, {"y", DType::kFloat32, {}}}, .outputs = {}});
  warm_up(model, 1);
  EXPECT_TRUE(model.batches.empty());
}

TEST_F(WarmUpTest, throws_what_the_model_throws_or_answers) {
  model_.answer = [](BatchDone) { throw Error(ErrorCode::kInvalidArgument, "thrown"); };
  EXPECT_THROW(warm_up(model_, 1), Error);
  model_.answer = [](BatchDone done) { done(Error(ErrorCode::kInternal, "answered")); };
  try {
    warm_up(model_, 1);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "answered");
  }
}

TEST_F(WarmUpTest, waits_for_a_model_that_answers_from_another_thread) {
  std::jthread other;
  bool answered = false;
  model_.answer = [&](BatchDone done) {
    other = std::jthread([&answered, done = std::move(done)]() mutable {
      answered = true;
      done(BatchResult{});
    });
  };
  warm_up(model_, 1);
  EXPECT_TRUE(answered);
}

TEST_F(WarmUpTest, does_not_wait_for_ever_for_a_model_that_drops_the_batch) {
  model_.answer = [](const BatchDone&) {};
  EXPECT_ANY_THROW(warm_up(model_, 1));
}

}  // namespace
}  // namespace maas
