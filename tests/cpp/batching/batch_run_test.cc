// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_run.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using ::testing::HasSubstr;

// Hands answers to their jobs, and keeps how the run ended.
class KeepingOwner final : public BatchRun::Owner {
 public:
  void answer(Job& job, Result<Reply> result, TimePoint) noexcept override {
    EXPECT_EQ(ends, 0);  // it is the last call
    job.complete(std::move(result));
  }
  void settled(BatchRun& run, const std::optional<Error>& why) noexcept override {
    EXPECT_EQ(ends, 0);
    ++settlements;
    failure = why;
    left = run.group().jobs;
  }
  void ended(BatchRun& run) noexcept override {
    EXPECT_EQ(settlements, 1);
    ++ends;
    rows = run.rows();
    compute = run.compute();
    streams = run.streams();
  }

  int settlements = 0;
  int ends = 0;
  std::int64_t streams = 0;
  std::optional<Error> failure;
  Jobs left;
  std::int64_t rows = 0;
  Duration compute{};
};

class BatchRunTest : public ::testing::Test {
 protected:
  BatchRunTest() {
    jobs_ = {std::make_shared<FakeJob>(floats({1, 2}, 0)),
             std::make_shared<FakeJob>(floats({2, 2}, 10)),
             std::make_shared<FakeJob>(floats({1, 2}, 20))};
    jobs_[1]->request.rows = 2;
  }

  void run(FakeModel::Behaviour behaviour) {
    model_.behaviour = std::move(behaviour);
    make_run()->start({});
  }
  std::shared_ptr<BatchRun> make_run() {
    return std::make_shared<BatchRun>(BatchRun::Means{owner_, model_, assembler_, clock_, stats_},
                                      ErrorSplit::Group{{jobs_.begin(), jobs_.end()}, nullptr});
  }
  // No job was answered: all are left to the owner, which is told why.
  void expect_failed(const std::string& message, bool is_final) {
    EXPECT_EQ(owner_.ends, 1);
    ASSERT_TRUE(owner_.failure);
    EXPECT_THAT(owner_.failure->message(), HasSubstr(message));
    EXPECT_EQ(owner_.failure->is_final(), is_final);
    EXPECT_THAT(owner_.left, ElementsAre(jobs_[0], jobs_[1], jobs_[2]));
    for (const auto& job : jobs_) {
      EXPECT_FALSE(job->answered());
    }
  }
  void expect_answered() {
    EXPECT_EQ(owner_.ends, 1);
    EXPECT_FALSE(owner_.failure);
    for (const auto& job : jobs_) {
      ASSERT_EQ(job->completed(), 1);
    }
    EXPECT_THAT(jobs_[0]->values(), ElementsAre(0, 2));
    EXPECT_THAT(jobs_[1]->values(), ElementsAre(20, 22, 24, 26));
    EXPECT_THAT(jobs_[2]->values(), ElementsAre(40, 42));
  }

  FakeModel model_;
  ManualClock clock_;
  InferenceStats stats_;
  KeepingOwner owner_;
  const Padding padding_{model_.signature(), {}};
  const Assembler assembler_{model_.signature(), padding_};
  std::vector<std::shared_ptr<FakeJob>> jobs_;
};

TEST_F(BatchRunTest, each_job_gets_its_rows_and_the_run_ends_once) {
  run({});
  expect_answered();
  EXPECT_EQ(owner_.rows, 4);
}

TEST_F(BatchRunTest, an_answer_says_how_long_it_waited_and_was_computed) {
  clock_.advance(milliseconds(30));
  run([&](const Batch& batch, BatchDone done) {
    clock_.advance(milliseconds(5));
    done(FakeModel::twice(batch));
  });
  const Timings& timings = jobs_[0]->wait()->timings;
  EXPECT_EQ(timings.queue, milliseconds(30));
  EXPECT_EQ(timings.compute, milliseconds(5));
  EXPECT_EQ(timings.batch_rows, 4);
  EXPECT_EQ(owner_.compute, milliseconds(5));
}

TEST_F(BatchRunTest, a_model_may_answer_later_from_another_thread) {
  std::optional<std::pair<Batch, BatchDone>> held;
  run([&](Batch batch, BatchDone done) { held.emplace(std::move(batch), std::move(done)); });
  EXPECT_EQ(owner_.ends, 0);
  std::jthread([&] {
    held->second(FakeModel::twice(held->first));
    held.reset();
  }).join();
  expect_answered();
}

TEST_F(BatchRunTest, an_error_of_the_model_answers_nobody) {
  run([](const Batch&, BatchDone done) { done(Error(ErrorCode::kInternal, "no luck")); });
  expect_failed("no luck", false);
}

TEST_F(BatchRunTest, what_a_model_throws_answers_nobody) {
  run([](const Batch&, const BatchDone&) { throw std::runtime_error("thrown"); });
  expect_failed("thrown", false);
}

TEST_F(BatchRunTest, a_run_with_streams_answers_at_once_and_ends_with_the_models_done) {
  BatchDone held;
  run([&](const Batch& batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    for (int row = 0; row < 4; ++row) {
      result.streams.push_back(std::make_shared<ItemStream>());
    }
    result.row_errors.resize(4);
    result.row_errors[0] = Error(ErrorCode::kUnprocessable, "bad row");
    result.streams[1]->write("second");
    held = std::move(done);
    held(std::move(result));
  });
  EXPECT_EQ(owner_.settlements, 1);
  EXPECT_EQ(owner_.ends, 0);
  EXPECT_EQ(jobs_[0]->message(), "bad row");
  EXPECT_TRUE(jobs_[1]->wait()->stream->begun());
  EXPECT_FALSE(jobs_[2]->wait()->stream->begun());
  clock_.advance(milliseconds(7));
  held = {};
  EXPECT_EQ(owner_.ends, 1);
  EXPECT_EQ(owner_.streams, 2);
  EXPECT_EQ(owner_.compute, milliseconds(7));
}

TEST_F(BatchRunTest, another_number_of_streams_than_of_rows_is_final) {
  run([](const Batch& batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    result.streams.push_back(std::make_shared<ItemStream>());
    done(std::move(result));
  });
  expect_failed("1 streams for 4 rows", true);
}

TEST_F(BatchRunTest, an_answer_of_the_wrong_shape_is_final) {
  run([](const Batch&, BatchDone done) { done(BatchResult{{floats({3, 2})}, {}}); });
  expect_failed("must be the 4 rows of the batch", true);
}

TEST_F(BatchRunTest, a_model_that_lets_its_done_go_fails_its_batch_for_good) {
  run([](const Batch&, const BatchDone&) {});
  expect_failed("gave no answer", true);
}

TEST_F(BatchRunTest, a_run_that_never_started_ends_as_well) {
  make_run().reset();
  expect_failed("gave no answer", true);
}

TEST_F(BatchRunTest, inputs_that_cannot_be_stacked_fail_the_batch) {
  jobs_[2]->request.inputs[0] = floats({1, 3});
  run({});
  expect_failed("cannot stack", false);
  EXPECT_EQ(model_.started.count(), 0);
}

TEST_F(BatchRunTest, only_the_first_answer_counts) {
  run([](const Batch& batch, BatchDone done) {
    done(FakeModel::twice(batch));
    done(Error(ErrorCode::kInternal, "again"));
    throw std::runtime_error("and again");
  });
  expect_answered();
}

TEST_F(BatchRunTest, an_error_of_a_row_goes_to_its_job_only) {
  run([](const Batch& batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    result.row_errors.resize(4);
    result.row_errors[2] = Error(ErrorCode::kUnprocessable, "bad row");
    done(std::move(result));
  });
  EXPECT_FALSE(owner_.failure);
  EXPECT_THAT(jobs_[0]->values(), ElementsAre(0, 2));
  EXPECT_EQ(jobs_[1]->message(), "bad row");
  EXPECT_THAT(jobs_[2]->values(), ElementsAre(40, 42));
}

TEST_F(BatchRunTest, jobs_with_an_error_that_they_share_are_left_and_the_others_answered) {
  run([](const Batch& batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    result.row_errors.assign(4, Error(ErrorCode::kInternal, "one of us").as_shared());
    result.row_errors[0].reset();
    done(std::move(result));
  });
  EXPECT_EQ(owner_.ends, 1);
  ASSERT_TRUE(owner_.failure);
  EXPECT_EQ(owner_.failure->message(), "one of us");
  EXPECT_THAT(owner_.left, ElementsAre(jobs_[1], jobs_[2]));
  EXPECT_THAT(jobs_[0]->values(), ElementsAre(0, 2));
  EXPECT_EQ(jobs_[0]->completed(), 1);
  EXPECT_FALSE(jobs_[1]->answered());
}

}  // namespace
}  // namespace maas
