// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batcher.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "batcher_fixture.h"
#include "on_threads.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/guarded.h"

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using ::testing::HasSubstr;
using testing::JobPtr;

class BatcherTest : public testing::BatcherFixture {
 protected:
  // Three jobs in one batch of a model that behaves like this.
  std::vector<JobPtr> batch_of_three(FakeModel::Behaviour behaviour) {
    model_->behaviour = [behaviour = std::move(behaviour)](Batch batch, BatchDone done) {
      if (batch.items.size() == 1) {
        return done(FakeModel::twice(batch));
      }
      behaviour(std::move(batch), std::move(done));
    };
    start({.max_batch_size = 4, .on_error = OnBatchError::kFail});
    const JobPtr first = block();
    std::vector<JobPtr> jobs = {submit(floats({1, 2}, 0)), submit(floats({2, 2}, 10)),
                                submit(floats({1, 2}, 20))};
    model_->gate.open();
    EXPECT_THAT(first->values(), ElementsAre(0, 2));
    for (const JobPtr& job : jobs) {
      job->wait();
    }
    return jobs;
  }
  void expect_all(const std::vector<JobPtr>& jobs, ErrorCode code, const std::string& message) {
    batcher_->close(Deadline::never());
    for (const JobPtr& job : jobs) {
      ASSERT_FALSE(job->wait());
      EXPECT_EQ(job->code(), code);
      EXPECT_THAT(job->message(), HasSubstr(message));
      EXPECT_EQ(job->completed(), 1);
    }
  }
};

TEST_F(BatcherTest, batches_form_while_the_executor_is_busy) {
  start({.max_batch_size = 8});
  const JobPtr first = block();
  std::vector<JobPtr> jobs;
  jobs.reserve(5);
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(submit(floats({1, 2}, static_cast<float>(10 * i))));
  }
  model_->gate.open();
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(jobs[static_cast<std::size_t>(i)]->values(), ElementsAre(20 * i, 20 * i + 2));
  }
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 5));
  EXPECT_EQ(jobs[0]->wait()->timings.batch_rows, 5);
}

TEST_F(BatcherTest, a_batch_never_has_more_rows_than_allowed_and_keeps_the_oldest_first) {
  start({.max_batch_size = 4});
  block();
  std::vector<JobPtr> jobs;
  for (const std::int64_t rows : {3, 2, 4, 1}) {
    jobs.push_back(submit(floats({rows, 2})));
  }
  model_->gate.open();
  for (const JobPtr& job : jobs) {
    EXPECT_EQ(job->wait()->outputs[0].shape(), job->request.inputs[0].shape());
  }
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 4, 2, 4));
}

TEST_F(BatcherTest, shapes_that_cannot_be_stacked_run_apart) {
  start({.max_batch_size = 8});
  block();
  const std::vector<JobPtr> jobs = {submit(floats({1, 2})), submit(floats({1, 3})),
                                    submit(floats({2, 2})), submit(floats({1, 3, 1})),
                                    submit(floats({1, 3}))};
  model_->gate.open();
  for (const JobPtr& job : jobs) {
    job->wait();
  }
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 3, 2, 1));
}

void expect_twice(const JobPtr& job) {
  const Tensor& input = job->request.inputs[0];
  ASSERT_EQ(job->wait()->outputs.at(0).shape(), input.shape());
  const auto got = job->values();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], 2 * input.values<float>()[i]);
  }
  ASSERT_EQ(job->completed(), 1);
}

// Whatever shares a batch, each request gets what it would have got alone.
TEST_F(BatcherTest, batched_equals_unbatched) {
  start({.max_batch_size = 16, .max_queue_size = 100000, .executors = 2});
  constexpr int kThreads = 4;
  constexpr int kEach = 800;
  std::vector<std::vector<JobPtr>> submitted(kThreads);
  testing::run_on_threads(kThreads, [&](std::size_t t) {
    std::mt19937 random(static_cast<unsigned>(t));
    for (int i = 0; i < kEach; ++i) {
      const Shape shape{1 + static_cast<std::int64_t>(random() % 5),
                        1 + static_cast<std::int64_t>(random() % 3)};
      submitted[t].push_back(submit(floats(shape, static_cast<float>(random() % 100000))));
    }
  });
  for (const auto& jobs : submitted) {
    std::for_each(jobs.begin(), jobs.end(), expect_twice);
  }
  const auto sizes = model_->batch_sizes();
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 16);
  EXPECT_LE(model_->most_running(), 2);
  const ModelStats& stats = batcher_->stats();
  batcher_->close(Deadline::never());
  EXPECT_EQ(stats.requests.value(), static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_EQ(stats.total_seconds.read().total, stats.requests.value());
  EXPECT_EQ(stats.batch_rows.read().total, sizes.size());
  EXPECT_EQ(stats.batch_rows.read().sum,
            static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})));
}

TEST_F(BatcherTest, full_queue_rejects_with_overloaded) {
  start({.max_queue_size = 2});
  block();
  const std::vector<JobPtr> jobs = {submit(floats({1, 2})), submit(floats({1, 2}))};
  EXPECT_EQ(batcher_->stats().queued.value(), 2);
  EXPECT_EQ(batcher_->stats().in_flight.value(), 3);
  const Status refused = refuse(floats({1, 2}));
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message(), HasSubstr("queue of 2 requests is full"));
  model_->gate.open();
  jobs.back()->wait();
  submit(floats({1, 2}))->wait();
}

TEST_F(BatcherTest, what_does_not_fit_the_model_is_refused) {
  start({.max_batch_size = 4});
  EXPECT_EQ(refuse(Tensor::zeros(DType::kInt64, {1})).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(batcher_->stats().in_flight.value(), 0);
}

TEST_F(BatcherTest, a_deadline_that_passed_in_the_queue_is_answered_and_never_run) {
  start({.max_batch_size = 4});
  const JobPtr first = block();
  const JobPtr late = submit(floats({1, 2}), Deadline::after(*clock_, seconds(1)));
  const JobPtr in_time = submit(floats({1, 2}), Deadline::after(*clock_, seconds(5)));
  clock_->advance(seconds(2));
  model_->gate.open();
  EXPECT_EQ(late->code(), ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(in_time->wait());
  EXPECT_TRUE(first->wait());
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 1));
  EXPECT_EQ(in_time->wait()->timings.queue, seconds(2));
}

TEST_F(BatcherTest, cancelled_jobs_never_run) {
  start({.max_batch_size = 4});
  block();
  const JobPtr gone = submit(floats({4, 2}));
  const JobPtr stays = submit(floats({1, 2}));
  gone->cancel();
  model_->gate.open();
  EXPECT_EQ(gone->code(), ErrorCode::kCancelled);
  EXPECT_TRUE(stays->wait());
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 1));
}

TEST_F(BatcherTest, a_model_that_throws_fails_every_job_of_its_batch_and_no_other) {
  expect_all(batch_of_three(
                 [](const Batch&, const BatchDone&) { throw std::runtime_error("out of luck"); }),
             ErrorCode::kInternal, "out of luck");
  const auto& errors = batcher_->stats().errors;
  EXPECT_EQ(errors[static_cast<std::size_t>(ErrorCode::kInternal)].value(), 3U);
  EXPECT_EQ(batcher_->stats().requests.value(), 4U);
}

TEST_F(BatcherTest, an_error_of_the_model_reaches_every_job_of_its_batch) {
  expect_all(batch_of_three([](const Batch&, BatchDone done) {
               done(Error(ErrorCode::kUnprocessable, "no such word"));
             }),
             ErrorCode::kUnprocessable, "no such word");
}

TEST_F(BatcherTest, an_output_with_other_rows_fails_the_batch_and_shows_its_shape) {
  expect_all(
      batch_of_three([](const Batch&, BatchDone done) { done(BatchResult{{floats({3, 2})}, {}}); }),
      ErrorCode::kInternal, "'y' has shape [3, 2], its first dimension must be the 4 rows");
}

TEST_F(BatcherTest, an_output_without_rows_fails_the_batch) {
  expect_all(
      batch_of_three([](const Batch&, BatchDone done) { done(BatchResult{{floats({})}, {}}); }),
      ErrorCode::kInternal, "has shape []");
}

TEST_F(BatcherTest, too_many_outputs_fail_the_batch) {
  expect_all(batch_of_three([](const Batch&, BatchDone done) {
               done(BatchResult{{floats({4}), floats({4})}, {}});
             }),
             ErrorCode::kInternal, "returned 2 outputs, 1 are declared");
}

TEST_F(BatcherTest, an_output_that_is_not_what_was_declared_fails_the_batch) {
  Signature signature = testing::any_floats();
  signature.outputs[0].row = Shape{2};
  model_ = std::make_shared<FakeModel>(signature);
  expect_all(batch_of_three([](const Batch&, BatchDone done) {
               done(BatchResult{{Tensor::zeros(DType::kInt64, {4, 2})}, {}});
             }),
             ErrorCode::kInternal, "'y' is int64 [4, 2], declared is float32 [-1, 2]");
}

TEST_F(BatcherTest, a_row_error_fails_only_its_request) {
  const auto jobs = batch_of_three([](const Batch& batch, BatchDone done) {
    BatchResult result = FakeModel::twice(batch);
    result.row_errors.resize(4);
    result.row_errors[2] = Error(ErrorCode::kUnprocessable, "bad row");
    done(std::move(result));
  });
  EXPECT_THAT(jobs[0]->values(), ElementsAre(0, 2));
  EXPECT_EQ(jobs[1]->code(), ErrorCode::kUnprocessable);
  EXPECT_EQ(jobs[1]->message(), "bad row");
  EXPECT_THAT(jobs[2]->values(), ElementsAre(40, 42));
}

TEST_F(BatcherTest, too_few_row_errors_fail_the_batch_and_complete_each_job_once) {
  expect_all(batch_of_three([](const Batch& batch, BatchDone done) {
               BatchResult result = FakeModel::twice(batch);
               result.row_errors.resize(1);
               done(std::move(result));
             }),
             ErrorCode::kInternal, "1 row errors for 4 rows");
}

TEST_F(BatcherTest, a_model_that_answers_and_then_throws_completes_once) {
  const auto jobs = batch_of_three([](const Batch& batch, BatchDone done) {
    done(FakeModel::twice(batch));
    throw std::runtime_error("too late");
  });
  batcher_->close(Deadline::never());
  EXPECT_THAT(jobs[2]->values(), ElementsAre(40, 42));
  EXPECT_EQ(jobs[2]->completed(), 1);
  EXPECT_EQ(batcher_->stats().requests.value(), 4U);
}

TEST_F(BatcherTest, a_model_that_answers_twice_completes_once) {
  const auto jobs = batch_of_three([](const Batch& batch, BatchDone done) {
    done(FakeModel::twice(batch));
    done(Error(ErrorCode::kInternal, "again"));
  });
  batcher_->close(Deadline::never());
  EXPECT_TRUE(jobs[0]->wait());
  EXPECT_EQ(jobs[0]->completed(), 1);
}

TEST_F(BatcherTest, a_model_that_drops_its_batch_fails_it) {
  expect_all(batch_of_three([](const Batch&, BatchDone) {}), ErrorCode::kInternal,
             "gave no answer");
}

TEST_F(BatcherTest, an_asynchronous_model_answers_from_another_thread_and_frees_the_executor) {
  Guarded<std::vector<std::pair<Batch, BatchDone>>> held;
  model_->behaviour = [&](Batch batch, BatchDone done) {
    held.with([&](auto& all) { all.emplace_back(std::move(batch), std::move(done)); });
  };
  start({.executors = 2});  // and one thread would do
  const JobPtr a = submit(floats({1, 2}));
  const JobPtr b = submit(floats({1, 2}, 5));
  const JobPtr waits = submit(floats({1, 2}, 7));
  model_->started.wait_for(2);
  EXPECT_EQ(batcher_->stats().queued.value(), 1);
  const auto answer_all = [&] {
    auto all = held.with([](auto& pairs) { return std::exchange(pairs, {}); });
    for (auto& [batch, done] : all) {
      done(FakeModel::twice(batch));
    }
  };
  while (!a->answered() || !b->answered()) {
    std::jthread(answer_all).join();
  }
  EXPECT_THAT(b->values(), ElementsAre(10, 12));
  model_->started.wait_for(3);  // the one that waited was woken for
  while (!waits->answered()) {
    answer_all();
  }
}

TEST_F(BatcherTest, no_more_batches_run_at_once_than_executors) {
  pool_.grow_to(4);
  start({.executors = 2});
  model_->gate.close();
  std::vector<JobPtr> jobs;
  jobs.reserve(6);
  for (int i = 0; i < 6; ++i) {
    jobs.push_back(submit(floats({1, 2})));
  }
  model_->started.wait_for(2);
  EXPECT_EQ(model_->started.count(), 2);
  model_->gate.open();
  for (const JobPtr& job : jobs) {
    job->wait();
  }
  EXPECT_EQ(model_->most_running(), 2);
}

TEST_F(BatcherTest, the_window_of_a_batch_is_counted_from_its_first_request) {
  start({.max_batch_size = 8, .batch_timeout = milliseconds(10), .policy = BatchPolicy::kWindow});
  const JobPtr first = submit(floats({1, 2}));
  clock_->advance(milliseconds(6));
  const JobPtr second = submit(floats({1, 2}));
  clock_->advance(milliseconds(3));
  EXPECT_FALSE(first->answered());
  clock_->advance(milliseconds(1));
  second->wait();
  EXPECT_EQ(first->wait()->timings.queue, milliseconds(10));
  EXPECT_EQ(second->wait()->timings.queue, milliseconds(4));
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(2));
}

TEST_F(BatcherTest, a_full_batch_does_not_wait_for_its_window) {
  start({.max_batch_size = 2, .batch_timeout = Duration::max(), .policy = BatchPolicy::kWindow});
  const JobPtr first = submit(floats({1, 2}));
  const JobPtr second = submit(floats({1, 2}));
  first->wait();
  second->wait();
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(2));
}

TEST_F(BatcherTest, a_window_is_no_reason_to_miss_a_deadline) {
  start({.max_batch_size = 8, .batch_timeout = seconds(10), .policy = BatchPolicy::kWindow});
  const JobPtr patient = submit(floats({1, 2}), Deadline::after(*clock_, seconds(30)));
  const JobPtr hurried = submit(floats({1, 2}), Deadline::after(*clock_, seconds(5)));
  EXPECT_TRUE(hurried->wait());
  EXPECT_TRUE(patient->wait());
}

TEST_F(BatcherTest, requests_handed_over_together_start_both_models) {
  pool_.grow_to(2);
  start({});
  model_->gate.close();
  const auto other_model = std::make_shared<FakeModel>();
  const auto other =
      std::make_shared<Batcher>(other_model, BatchOptions{}, Batcher::Host{clock_, pool_, bytes_});
  pool_.add(other);
  const auto job = std::make_shared<FakeJob>(floats({1, 2}));
  {
    const WakeScope together;
    submit(floats({1, 2}));
    EXPECT_TRUE(other->submit(job));
  }
  EXPECT_TRUE(job->wait());  // while the first model still runs
  pool_.remove(other.get());
}

TEST_F(BatcherTest, a_model_without_a_batch_dimension_gets_one_request_at_a_time) {
  Signature signature = testing::any_floats();
  signature.batch_dim = false;
  model_ = std::make_shared<FakeModel>(signature);
  EXPECT_THROW(start({.max_batch_size = 2}), Error);
  start({});
  const JobPtr job = submit(floats({3, 2}));
  EXPECT_EQ(job->wait()->outputs[0].shape(), (Shape{3, 2}));
  EXPECT_EQ(submit(floats({}))->values().size(), 1U);
}

TEST_F(BatcherTest, options_and_shapes_that_cannot_be_are_refused_by_name) {
  const auto message = [&](const BatchOptions& options) {
    try {
      const Batcher batcher(model_, options, Batcher::Host{clock_, pool_, bytes_});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message({.max_batch_size = 0}), HasSubstr("max_batch_size"));
  EXPECT_THAT(message({.batch_timeout = milliseconds(-1)}), HasSubstr("batch_timeout_ms"));
  EXPECT_THAT(message({.max_queue_size = 0}), HasSubstr("max_queue_size"));
  EXPECT_THAT(message({.executors = 0}), HasSubstr("executors"));
  Signature deep = testing::any_floats();
  deep.inputs[0].row = Shape{1, 1, 1, 1, 1, 1, 1, 1};  // no room for the rows before it
  model_ = std::make_shared<FakeModel>(deep);
  EXPECT_THAT(message({}), HasSubstr("8 dimensions"));
}

}  // namespace
}  // namespace maas
