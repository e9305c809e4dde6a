// SPDX-License-Identifier: Apache-2.0
// How a served model ends: close() of its batcher, and its destructor.
#include "maas/batching/served_model.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "fakes.h"
#include "on_threads.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::seconds;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using JobPtr = std::shared_ptr<FakeJob>;

class ServedModelTest : public ::testing::Test {
 protected:
  ~ServedModelTest() override { model_->gate.open(); }

  std::unique_ptr<ServedModel> serve(const BatchOptions& options = {}) {
    return std::make_unique<ServedModel>(
        ServedModel::Name{"twice", 3}, model_,
        std::make_shared<Batcher>(model_, options, Batcher::Host{clock_, pool_, bytes_}), pool_,
        nullptr);
  }
  static JobPtr submit(ServedModel& served, Deadline deadline = Deadline::never()) {
    auto job = std::make_shared<FakeJob>(floats({1, 2}), deadline);
    EXPECT_TRUE(served.batcher().submit(job));
    return job;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  ByteBudget bytes_;
  ExecutorPool pool_{{.name = "test"}, clock_};
};

TEST_F(ServedModelTest, knows_its_name_version_and_model) {
  const auto served = serve();
  EXPECT_EQ(served->name(), "twice");
  EXPECT_EQ(served->version(), 3);
  EXPECT_EQ(&served->model(), model_.get());
  EXPECT_TRUE(submit(*served)->wait());
}

TEST_F(ServedModelTest, its_destructor_answers_everything_and_lets_the_model_go) {
  std::vector<JobPtr> jobs;
  {
    const auto served = serve({.max_batch_size = 4});
    for (int i = 0; i < 100; ++i) {
      jobs.push_back(submit(*served));
    }
  }
  for (const JobPtr& job : jobs) {
    EXPECT_EQ(job->completed(), 1);
    EXPECT_TRUE(job->wait());
  }
  EXPECT_EQ(model_.use_count(), 1);
}

TEST_F(ServedModelTest, close_drains_even_a_batch_that_is_held_open) {
  const auto served = serve({.max_batch_size = 8, .batch_timeout = seconds(100)});
  const JobPtr job = submit(*served);
  EXPECT_TRUE(served->batcher().close(Deadline::never()));
  EXPECT_EQ(job->completed(), 1);
  EXPECT_TRUE(job->wait());
}

TEST_F(ServedModelTest, after_close_a_submission_is_refused_as_unavailable) {
  const auto served = serve();
  EXPECT_TRUE(served->batcher().close(Deadline::never()));
  const auto job = std::make_shared<FakeJob>(floats({1, 2}));
  const Status refused = served->batcher().submit(job);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(job->completed(), 0);
  EXPECT_TRUE(served->batcher().close(Deadline::never()));
}

TEST_F(ServedModelTest, close_answers_what_waits_at_the_deadline_and_lets_run_what_runs) {
  const auto served = serve();
  model_->gate.close();
  const JobPtr runs = submit(*served);
  model_->started.wait_for(1);
  const JobPtr waits = submit(*served);
  const Deadline deadline = Deadline::after(*clock_, seconds(5));
  bool in_time = true;
  std::jthread closer([&] { in_time = served->batcher().close(deadline); });
  clock_->advance(seconds(5));
  closer.join();
  EXPECT_FALSE(in_time);
  EXPECT_EQ(waits->code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(runs->answered());
  model_->gate.open();
  EXPECT_TRUE(runs->wait());
  EXPECT_TRUE(served->batcher().close(Deadline::never()));
  EXPECT_EQ(model_->batch_sizes().size(), 1U);
}

// Answers when its test lets it.
class SlowJob final : public Job {
 public:
  explicit SlowJob(testing::Gate& gate, Deadline deadline) : gate_(gate) {
    request.deadline = deadline;
    request.inputs.push_back(floats({1, 2}));
  }
  void complete(Result<Reply>) noexcept override {
    begun.add();
    gate_.pass();
    completed = true;
  }
  testing::Progress begun;
  std::atomic<bool> completed{false};

 private:
  testing::Gate& gate_;
};

TEST_F(ServedModelTest, close_waits_until_expired_jobs_are_answered_too) {
  const auto served = serve();
  testing::Gate gate;
  gate.close();
  const auto job = std::make_shared<SlowJob>(gate, Deadline(clock_->now()));
  EXPECT_TRUE(served->batcher().submit(job));
  job->begun.wait_for(1);  // it has left the queue, and is not yet answered
  EXPECT_FALSE(served->batcher().close(Deadline(clock_->now())));
  gate.open();
  EXPECT_TRUE(served->batcher().close(Deadline::never()));
  EXPECT_TRUE(job->completed);
}

TEST_F(ServedModelTest, closing_from_several_threads_answers_each_job_once) {
  const auto served = serve();
  model_->gate.close();
  const JobPtr runs = submit(*served);
  model_->started.wait_for(1);
  std::vector<JobPtr> jobs;
  jobs.reserve(50);
  for (int i = 0; i < 50; ++i) {
    jobs.push_back(submit(*served));
  }
  testing::run_on_threads(
      3, [&](std::size_t) { EXPECT_FALSE(served->batcher().close(Deadline(clock_->now()))); });
  for (const JobPtr& job : jobs) {
    EXPECT_EQ(job->code(), ErrorCode::kUnavailable);
    EXPECT_EQ(job->completed(), 1);
  }
  EXPECT_FALSE(runs->answered());
  model_->gate.open();
}

// Those that were accepted.
std::vector<JobPtr> submit_many(Batcher& batcher) {
  std::vector<JobPtr> accepted;
  for (int i = 0; i < 20; ++i) {
    auto job = std::make_shared<FakeJob>(floats({1, 2}));
    if (batcher.submit(job)) {
      accepted.push_back(std::move(job));
    }
  }
  return accepted;
}

bool answered_once(const JobPtr& job) {
  return job->completed() == 1;
}

void close_while_submitting(Batcher& batcher) {
  std::vector<JobPtr> accepted[2];
  testing::run_on_threads(3, [&](std::size_t t) {
    if (t == 2) {
      EXPECT_TRUE(batcher.close(Deadline::never()));
    } else {
      accepted[t] = submit_many(batcher);
    }
  });
  for (const auto& jobs : accepted) {
    EXPECT_TRUE(std::all_of(jobs.begin(), jobs.end(), answered_once));
  }
}

TEST_F(ServedModelTest, submitting_while_it_closes_answers_or_refuses_every_job) {
  for (int round = 0; round < 100; ++round) {
    const auto served = serve({.max_batch_size = 4});
    close_while_submitting(served->batcher());
  }
}

void answer(const Batch& batch, BatchDone done) {
  done(FakeModel::twice(batch));
}

// The last touch of an asynchronous model's thread races with the end of the model.
TEST_F(ServedModelTest, an_asynchronous_answer_may_come_while_it_is_destroyed) {
  for (int round = 0; round < 200; ++round) {
    std::jthread other;
    std::latch held(1);
    const auto model = std::make_shared<FakeModel>();
    model->behaviour = [&](Batch batch, BatchDone done) {
      other = std::jthread(answer, std::move(batch), std::move(done));
      held.count_down();
    };
    auto pool = std::make_unique<ExecutorPool>(ExecutorPool::Options{.name = "own"}, clock_);
    auto batcher =
        std::make_shared<Batcher>(model, BatchOptions{}, Batcher::Host{clock_, *pool, bytes_});
    ExecutorPool& own = *pool;
    auto served = std::make_unique<ServedModel>(ServedModel::Name{"async", 1}, model,
                                                std::move(batcher), own, std::move(pool));
    const JobPtr runs = submit(*served);
    held.wait();
    const auto waits = std::make_shared<FakeJob>(floats({1, 2}));
    EXPECT_TRUE(served->batcher().submit(waits));
    served->batcher().close(Deadline(clock_->now()));
    served.reset();
    EXPECT_EQ(runs->completed(), 1);
    EXPECT_EQ(waits->completed(), 1);
  }
}

}  // namespace
}  // namespace maas
