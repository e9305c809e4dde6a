// SPDX-License-Identifier: Apache-2.0
// That a batch never shows in an answer: division, padding, errors of neighbours.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "batcher_fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using ::testing::HasSubstr;
using testing::JobPtr;

void taste(float value, const std::vector<float>& poison) {
  if (std::find(poison.begin(), poison.end(), value) != poison.end()) {
    throw std::runtime_error("cannot stand " + std::to_string(value));
  }
}

class BatcherExactnessTest : public testing::BatcherFixture {
 protected:
  // A model that cannot stand a row with one of these as its first value.
  void fail_on(std::vector<float> poison) {
    model_->behaviour = [this, poison = std::move(poison)](const Batch& batch, BatchDone done) {
      rows_run_ += batch.rows;
      const auto values = batch.inputs[0].values<float>();
      const std::size_t width = values.size() / static_cast<std::size_t>(batch.rows);
      for (std::size_t at = 0; at < values.size(); at += width) {
        taste(values[at], poison);
      }
      done(FakeModel::twice(batch));
    };
  }
  // One batch of jobs of one row with the values 1, 2, 3...
  std::vector<JobPtr> one_batch(int jobs) {
    model_->gate.close();
    const JobPtr first = submit(floats({1, 1}, -1));
    model_->started.wait_for(1);
    std::vector<JobPtr> all;
    for (int i = 1; i <= jobs; ++i) {
      all.push_back(submit(floats({1, 1}, static_cast<float>(i))));
    }
    model_->gate.open();
    for (const JobPtr& job : all) {
      job->wait();
    }
    return all;
  }

  std::int64_t rows_run_ = 0;  // by the one executor
};

TEST_F(BatcherExactnessTest, a_request_larger_than_a_batch_is_divided_and_rejoined) {
  start({.max_batch_size = 4});
  const JobPtr large = submit(floats({11, 2}));
  std::vector<float> twice(22);
  std::iota(twice.begin(), twice.end(), 0.F);
  std::transform(twice.begin(), twice.end(), twice.begin(), [](float x) { return 2 * x; });
  EXPECT_EQ(large->values(), twice);
  EXPECT_EQ(large->wait()->outputs[0].shape(), (Shape{11, 2}));
  EXPECT_EQ(large->completed(), 1);
  batcher_->close(Deadline::never());
  EXPECT_EQ(batcher_->stats().requests.value(), 1U);
  EXPECT_EQ(batcher_->stats().in_flight.value(), 0);
}

TEST_F(BatcherExactnessTest, a_divided_request_fails_as_a_whole_with_its_parts_error) {
  start({.max_batch_size = 2});
  fail_on({6});  // first value of the fourth row
  const JobPtr large = submit(floats({5, 2}));
  EXPECT_THAT(large->message(), HasSubstr("cannot stand 6"));
  EXPECT_EQ(large->completed(), 1);
}

TEST_F(BatcherExactnessTest, more_rows_than_the_queue_could_hold_are_refused_for_good) {
  start({.max_batch_size = 2, .max_queue_size = 3});
  const Status refused = refuse(floats({7, 1}));
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("7 rows"));
  EXPECT_TRUE(submit(floats({6, 1}))->wait());
}

TEST_F(BatcherExactnessTest, only_the_culprit_fails) {
  start({.max_batch_size = 32});
  fail_on({13});
  const std::vector<JobPtr> jobs = one_batch(32);
  for (int i = 1; i <= 32; ++i) {
    const JobPtr& job = jobs[static_cast<std::size_t>(i - 1)];
    if (i == 13) {
      EXPECT_THAT(job->message(), HasSubstr("cannot stand 13"));
    } else {
      EXPECT_THAT(job->values(), ElementsAre(static_cast<float>(2 * i)));
    }
  }
  batcher_->close(Deadline::never());
  EXPECT_GT(batcher_->stats().rerun_rows.value(), 0U);
}

TEST_F(BatcherExactnessTest, a_broken_model_costs_at_most_twice_its_work) {
  start({.max_batch_size = 32});
  std::vector<float> all(33);
  std::iota(all.begin(), all.end(), -1.F);  // also the first one
  fail_on(all);
  const std::vector<JobPtr> jobs = one_batch(32);
  for (const JobPtr& job : jobs) {
    EXPECT_EQ(job->code(), ErrorCode::kInternal);
  }
  batcher_->close(Deadline::never());
  EXPECT_LE(rows_run_, 2 * 33);
}

TEST_F(BatcherExactnessTest, without_splitting_a_batch_fails_together) {
  start({.max_batch_size = 8, .on_error = OnBatchError::kFail});
  fail_on({3});
  std::vector<ErrorCode> codes;
  for (const JobPtr& job : one_batch(4)) {
    codes.push_back(job->code());
  }
  EXPECT_THAT(codes, Each(ErrorCode::kInternal));
}

TEST_F(BatcherExactnessTest, rows_that_failed_together_are_run_apart_and_the_others_are_answered) {
  model_->behaviour = [](Batch batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    const auto x = batch.inputs[0].values<float>();
    const bool bad = std::any_of(x.begin(), x.end(), [](float value) { return value == 3; });
    for (std::int64_t row = 0; row < batch.rows && bad; ++row) {
      // Odd values go through one call, which fails with the 3 in it; even ones through another.
      const bool odd = static_cast<int>(x[static_cast<std::size_t>(row)]) % 2 != 0;
      result.row_errors.push_back(
          odd ? std::optional(Error(ErrorCode::kUnprocessable, "no 3").as_shared()) : std::nullopt);
    }
    done(std::move(result));
  };
  start({.max_batch_size = 8});
  const std::vector<JobPtr> jobs = one_batch(6);
  for (int i = 1; i <= 6; ++i) {
    const JobPtr& job = jobs[static_cast<std::size_t>(i - 1)];
    if (i == 3) {
      EXPECT_EQ(job->message(), "no 3");
    } else {
      EXPECT_THAT(job->values(), ElementsAre(static_cast<float>(2 * i)));
    }
    EXPECT_EQ(job->completed(), 1);
  }
}

// As when the back-end went away meanwhile.
TEST_F(BatcherExactnessTest, a_rerun_that_no_neighbour_is_to_blame_for_is_not_split_again) {
  model_->behaviour = [](const Batch& batch, BatchDone done) {
    if (batch.rows == 8) {
      throw std::runtime_error("no luck");
    }
    const bool left = batch.inputs[0].values<float>()[0] == 1;
    done(left ? Result<BatchResult>(Error(ErrorCode::kUnavailable, "gone"))
              : FakeModel::twice(batch));
  };
  start({.max_batch_size = 8});
  const auto jobs = one_batch(8);
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 8, 4, 4));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_EQ(jobs[i]->wait().ok(), i >= 4);
    EXPECT_EQ(jobs[i]->completed(), 1);
  }
  EXPECT_EQ(jobs[0]->code(), ErrorCode::kUnavailable);
}

TEST_F(BatcherExactnessTest, a_wrong_shape_is_no_reason_to_run_again) {
  model_->behaviour = [this](const Batch& batch, BatchDone done) {
    rows_run_ += batch.rows;
    done(BatchResult{{floats({1, 1})}, {}});
  };
  start({.max_batch_size = 8});
  for (const JobPtr& job : one_batch(4)) {
    EXPECT_THAT(job->message(), HasSubstr("'y' has shape [1, 1]"));
  }
  EXPECT_EQ(rows_run_, 1 + 4);
}

// y = running sum along the row: each position depends on those before, and padding must not show.
Signature sequences() {
  return {.inputs = {{"x", DType::kFloat32, Shape{-1}},
                     {.name = "mask", .dtype = DType::kInt64, .row = Shape{-1}, .optional = true}},
          .outputs = {{"sums", DType::kFloat32, Shape{-1}}, {"total", DType::kFloat32, Shape{}}}};
}

void sum_rows(const Batch& batch, BatchDone done) {
  const auto x = batch.inputs[0].values<float>();
  const auto mask = batch.inputs[1].values<std::int64_t>();
  const std::int64_t length = batch.inputs[0].shape()[1];
  BatchResult result;
  result.outputs = {Tensor::allocate(DType::kFloat32, {batch.rows, length}),
                    Tensor::allocate(DType::kFloat32, {batch.rows})};
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    float sum = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      const auto at = static_cast<std::size_t>(row * length + i);
      sum += x[at] * static_cast<float>(mask[at]);
      result.outputs[0].mutable_values<float>()[at] = sum;
    }
    result.outputs[1].mutable_values<float>()[static_cast<std::size_t>(row)] = sum;
  }
  done(std::move(result));
}

class PaddedBatcherTest : public testing::BatcherFixture {
 protected:
  void start_padded(BatchOptions options) {
    model_ = std::make_shared<FakeModel>(sequences());
    model_->behaviour = sum_rows;
    options.pad = {{"x", 100}};  // would show in the sums if it were not masked
    options.mask = "mask";
    start(options);
  }
  JobPtr submit_sequence(std::int64_t rows, std::int64_t length) {
    auto job = std::make_shared<FakeJob>(floats({rows, length}, 1));
    job->request.inputs.emplace_back();  // no mask
    EXPECT_TRUE(batcher_->submit(job));
    return job;
  }
  JobPtr block_padded() {
    model_->gate.close();
    JobPtr job = submit_sequence(1, 1);
    model_->started.wait_for(1);
    return job;
  }
};

TEST_F(PaddedBatcherTest, requests_of_different_lengths_share_a_batch_and_get_their_own_back) {
  start_padded({.max_batch_size = 8});
  const JobPtr first = block_padded();
  const JobPtr two = submit_sequence(1, 2);
  const JobPtr three = submit_sequence(2, 3);
  model_->gate.open();
  EXPECT_THAT(two->values(), ElementsAre(1, 3));
  EXPECT_THAT(three->values(), ElementsAre(1, 3, 6, 4, 9, 15));
  EXPECT_EQ(two->wait()->outputs[0].shape(), (Shape{1, 2}));
  EXPECT_THAT(three->wait()->outputs[1].values<float>(), ElementsAre(6, 15));
  EXPECT_EQ(two->wait()->timings.batch_rows, 3);
  batcher_->close(Deadline::never());
  EXPECT_EQ(batcher_->stats().tokens.value(), 1U + 2 + 6);
  EXPECT_EQ(batcher_->stats().padding_tokens.value(), 1U);
}

TEST_F(PaddedBatcherTest, lengths_that_are_too_far_apart_run_in_batches_of_their_own) {
  start_padded({.max_batch_size = 8});
  block_padded();
  const JobPtr short_one = submit_sequence(1, 4);
  const JobPtr long_one = submit_sequence(1, 100);
  const JobPtr short_two = submit_sequence(1, 5);
  model_->gate.open();
  EXPECT_EQ(short_one->wait()->timings.batch_rows, 2);
  EXPECT_EQ(short_two->wait()->timings.batch_rows, 2);
  EXPECT_EQ(long_one->wait()->timings.batch_rows, 1);
}

TEST_F(PaddedBatcherTest, a_token_budget_bounds_rows_times_padded_length) {
  start_padded({.max_batch_size = 8, .max_batch_tokens = 12});
  block_padded();
  std::vector<JobPtr> jobs;
  jobs.reserve(5);
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(submit_sequence(1, 5));
  }
  const JobPtr large = submit_sequence(5, 4);  // divided: three rows of four fit
  model_->gate.open();
  for (const JobPtr& job : jobs) {
    EXPECT_LE(job->wait()->timings.batch_rows, 2);
  }
  EXPECT_EQ(large->wait()->outputs[0].shape(), (Shape{5, 4}));
  EXPECT_LE(large->wait()->timings.batch_rows, 3);
  const auto too_long = std::make_shared<FakeJob>(floats({1, 13}));
  too_long->request.inputs.emplace_back();
  const Status refused = batcher_->submit(too_long);
  EXPECT_THAT(refused.error().message(), HasSubstr("13 long, the model takes at most 12"));
}

}  // namespace
}  // namespace maas
