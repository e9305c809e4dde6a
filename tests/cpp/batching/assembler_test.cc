// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/assembler.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;
using testing::FakeJob;
using testing::floats;
using ::testing::HasSubstr;

std::shared_ptr<Job> job_of(std::vector<Tensor> inputs, std::int64_t length = 0) {
  auto job = std::make_shared<FakeJob>(Tensor());
  job->request.rows = inputs.front().shape()[0];
  job->request.inputs = std::move(inputs);
  job->place.length = length;
  return job;
}

std::string failure(const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    return error.message();
  }
  return "none";
}

class AssemblerTest : public ::testing::Test {
 protected:
  AssemblerTest()
      : AssemblerTest(
            {.inputs = {{"x", DType::kFloat32, {}},
                        {.name = "bias", .row = {}, .optional = true},
                        {.name = "words", .dtype = DType::kBytes, .row = {}, .optional = true},
                        {.name = "size", .row = {}, .optional = true, .shape_tensor = true}},
             .outputs = {{"y", DType::kFloat32, {}}, {"z", DType::kInt64, Shape{2}}}}) {}
  explicit AssemblerTest(Signature signature, BatchOptions options = {})
      : signature_(std::move(signature)), options_(std::move(options)) {}

  static BatchResult result_of(std::int64_t rows) {
    return {{floats({rows, 3}), Tensor::zeros(DType::kInt64, {rows, 2})}, {}};
  }

  const Signature signature_;
  const BatchOptions options_;
  const Padding padding_{signature_, options_};
  const Assembler assembler_{signature_, padding_};
};

TEST_F(AssemblerTest, jobs_are_stacked_in_their_order_with_what_the_model_may_know_of_them) {
  const Jobs jobs = {job_of({floats({1, 2}, 0), {}, {}, {}}),
                     job_of({floats({2, 2}, 10), {}, {}, {}})};
  jobs[1]->request.deadline = Deadline(TimePoint(std::chrono::seconds(9)));
  jobs[1]->request.origin = std::make_shared<const Origin>();
  const Assembler::Stack stack = assembler_.stack(jobs);
  EXPECT_EQ(stack.length, 0);
  EXPECT_EQ(stack.batch.rows, 3);
  EXPECT_THAT(stack.batch.inputs.at(0).values<float>(), ElementsAre(0, 1, 10, 11, 12, 13));
  ASSERT_EQ(stack.batch.items.size(), 2U);
  EXPECT_EQ(stack.batch.items[1].id.text(), jobs[1]->request.id.text());
  EXPECT_EQ(stack.batch.items[1].rows, 2);
  EXPECT_EQ(stack.batch.items[1].deadline.at(), jobs[1]->request.deadline.at());
  EXPECT_EQ(stack.batch.items[0].origin, nullptr);
  EXPECT_EQ(stack.batch.items[1].origin, jobs[1]->request.origin);
  jobs[0]->cancel();
  EXPECT_TRUE(stack.batch.items[0].cancellation->cancelled());
  EXPECT_FALSE(stack.batch.items[1].cancellation->cancelled());
}

TEST_F(AssemblerTest, a_job_alone_is_not_copied) {
  const Jobs jobs = {job_of({floats({3, 2}), {}, {}, floats({2})}, 7)};
  const Assembler::Stack stack = assembler_.stack(jobs);
  ASSERT_EQ(stack.batch.inputs.size(), 4U);
  EXPECT_EQ(stack.batch.inputs[0].data(), jobs[0]->request.inputs[0].data());
  EXPECT_TRUE(stack.batch.inputs[1].is_absent());
  EXPECT_EQ(stack.batch.inputs[3].data(), jobs[0]->request.inputs[3].data());
  EXPECT_EQ(stack.batch.rows, 3);
  EXPECT_EQ(stack.length, 7);
}

TEST_F(AssemblerTest, absent_inputs_stay_absent_and_shape_tensors_are_given_once) {
  const Tensor words = Tensor::from_strings({std::string(50, 'w'), "v"}, {2});
  const Jobs jobs = {job_of({floats({1, 2}), {}, words.rows(0, 1), floats({2}, 5)}),
                     job_of({floats({1, 2}), {}, words.rows(1, 1), floats({2}, 5)})};
  const Batch batch = assembler_.stack(jobs).batch;
  ASSERT_EQ(batch.inputs.size(), 4U);
  EXPECT_TRUE(batch.inputs[1].is_absent());
  EXPECT_THAT(batch.inputs[2].strings(), ElementsAre(std::string(50, 'w'), "v"));
  EXPECT_THAT(batch.inputs[3].values<float>(), ElementsAre(5, 6));
}

TEST_F(AssemblerTest, an_answer_of_other_rows_or_outputs_is_an_internal_error_that_shows_them) {
  const auto message = [&](const BatchResult& result) {
    return failure([&] { assembler_.check(result, 3); });
  };
  EXPECT_EQ(message(result_of(3)), "none");
  EXPECT_THAT(message(result_of(2)), HasSubstr("output 'y' has shape [2, 3]"));
  EXPECT_THAT(message({{floats({3})}, {}}), HasSubstr("returned 1 outputs, 2 are declared"));
  EXPECT_THAT(message({}), HasSubstr("returned 0 outputs"));
  BatchResult result = result_of(3);
  result.outputs[0] = floats({});
  EXPECT_THAT(message(result), HasSubstr("has shape []"));
  result = result_of(3);
  result.outputs[0] = Tensor();
  EXPECT_THAT(message(result), HasSubstr("has shape [0]"));
  result = result_of(3);
  result.outputs[1] = Tensor::zeros(DType::kInt64, {3, 4});
  EXPECT_THAT(message(result), HasSubstr("'z' is int64 [3, 4], declared is int64 [-1, 2]"));
  result.outputs[1] = floats({3, 2});
  EXPECT_THAT(message(result), HasSubstr("'z' is float32 [3, 2]"));
  for (const std::size_t errors : {1U, 2U, 4U}) {
    result = result_of(3);
    result.row_errors.resize(errors);
    EXPECT_THAT(message(result), HasSubstr("row errors for 3 rows"));
  }
}

TEST_F(AssemblerTest, each_job_takes_its_own_rows_of_every_output) {
  const BatchResult result = result_of(6);
  const auto job = job_of({floats({2, 2}), {}, {}, {}});
  const auto outputs = assembler_.take(result, *job, 3, 0);
  ASSERT_TRUE(outputs);
  ASSERT_EQ(outputs->size(), 2U);
  EXPECT_THAT((*outputs)[0].values<float>(), ElementsAre(9, 10, 11, 12, 13, 14));
  EXPECT_EQ((*outputs)[1].shape(), (Shape{2, 2}));
}

TEST_F(AssemblerTest, an_error_in_any_of_its_rows_fails_a_job_and_no_other) {
  BatchResult result = result_of(4);
  result.row_errors.resize(4);
  result.row_errors[2] = Error(ErrorCode::kUnprocessable, "bad row");
  const auto two = job_of({floats({2, 2}), {}, {}, {}});
  EXPECT_TRUE(assembler_.take(result, *two, 0, 0));
  const auto failed = assembler_.take(result, *two, 1, 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message(), "bad row");
  EXPECT_FALSE(assembler_.take(result, *two, 2, 0));
  EXPECT_TRUE(assembler_.take(result, *job_of({floats({1, 2}), {}, {}, {}}), 3, 0));
}

class AssemblerPaddedTest : public AssemblerTest {
 protected:
  AssemblerPaddedTest()
      : AssemblerTest({.inputs = {{"x", DType::kFloat32, Shape{-1}}},
                       .outputs = {{"y", DType::kFloat32, Shape{-1}}}},
                      {.max_batch_size = 4, .pad = {{"x", 9}}}) {}
};

TEST_F(AssemblerPaddedTest, jobs_are_filled_up_to_the_longest_and_answers_cut_back) {
  const Jobs jobs = {job_of({floats({1, 1}, 1)}, 1), job_of({floats({1, 3}, 2)}, 3)};
  const Assembler::Stack stack = assembler_.stack(jobs);
  EXPECT_EQ(stack.length, 3);
  EXPECT_THAT(stack.batch.inputs.at(0).values<float>(), ElementsAre(1, 9, 9, 2, 3, 4));
  const BatchResult result{{stack.batch.inputs[0]}, {}};
  const auto first = assembler_.take(result, *jobs[0], 0, stack.length);
  EXPECT_THAT(first->at(0).values<float>(), ElementsAre(1));
  const auto second = assembler_.take(result, *jobs[1], 1, stack.length);
  EXPECT_THAT(second->at(0).values<float>(), ElementsAre(2, 3, 4));
}

class AssemblerWithoutRowsTest : public AssemblerTest {
 protected:
  AssemblerWithoutRowsTest()
      : AssemblerTest({.inputs = {{"x", DType::kFloat32, {}}},
                       .outputs = {{"y", DType::kFloat32, {}}},
                       .batch_dim = false}) {}
};

TEST_F(AssemblerWithoutRowsTest, outputs_are_given_whole) {
  const BatchResult result{{floats({3, 2})}, {}};
  assembler_.check(result, 1);
  const auto job = job_of({floats({5})});
  job->request.rows = 1;
  EXPECT_EQ(assembler_.take(result, *job, 0, 0)->at(0).shape(), (Shape{3, 2}));
  assembler_.check({{floats({})}, {}}, 1);
}

}  // namespace
}  // namespace maas
