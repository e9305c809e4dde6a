// SPDX-License-Identifier: Apache-2.0
// What runs on the thread that brings it, and what waits for an executor.
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "batcher_fixture.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::FakeModel;
using testing::floats;
using testing::JobPtr;

Signature pairs_of_floats() {
  return {.inputs = {{"x", DType::kFloat32, Shape{2}}},
          .outputs = {{"y", DType::kFloat32, Shape{2}}}};
}

class LentThreadTest : public testing::BatcherFixture {
 protected:
  LentThreadTest() { model_ = std::make_shared<FakeModel>(pairs_of_floats()); }
  ~LentThreadTest() override {
    batcher_->close(Deadline::never());
    lending_.remove(batcher_.get());
    batcher_.reset();
  }

  // Each batch takes so long, and rows that ran on executors have shown it.
  void start_and_learn(Duration each, const BatchOptions& options) {
    model_->behaviour = [this, each](const Batch& batch, BatchDone done) {
      clock_->advance(each + extra_);
      const std::lock_guard lock(mutex_);
      threads_.insert(std::this_thread::get_id());
      done(FakeModel::twice(batch));
    };
    batcher_ = std::make_shared<Batcher>(model_, options, Batcher::Host{clock_, lending_, bytes_});
    lending_.add(batcher_);
    for (int i = 0; i < 8; ++i) {
      const JobPtr job = submit(floats({1, 2}));
      if (options.policy == BatchPolicy::kWindow) {
        EXPECT_TRUE(lending_.settle(milliseconds(5000)));
        clock_->advance(options.batch_timeout);
      }
      EXPECT_TRUE(job->wait());
    }
    EXPECT_TRUE(lending_.settle(milliseconds(5000)));
    EXPECT_FALSE(was_here());
  }
  // Submits on a thread that lends itself, and waits for the answers.
  void submit_here(int jobs, std::int64_t rows) {
    std::vector<JobPtr> submitted;
    {
      const WakeScope scope(true);
      for (int i = 0; i < jobs; ++i) {
        submitted.push_back(submit(floats({rows, 2}, 3)));
      }
    }
    for (const JobPtr& job : submitted) {
      const auto reply = job->wait();
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->outputs[0].values<float>()[0], 6);
    }
    EXPECT_TRUE(lending_.settle(milliseconds(5000)));
  }
  bool was_here() {
    const std::lock_guard lock(mutex_);
    return threads_.contains(std::this_thread::get_id());
  }

  ExecutorPool lending_{{.name = "lending", .threads = 2, .shared = true}, clock_};
  Duration extra_{};
  std::mutex mutex_;
  std::set<std::thread::id> threads_;  // that ran batches; guarded by mutex_
};

TEST_F(LentThreadTest, a_lone_row_of_a_quick_model_runs_on_the_thread_that_brings_it) {
  start_and_learn(microseconds(20), {.max_batch_size = 8});
  submit_here(1, 1);
  EXPECT_TRUE(was_here());
}

TEST_F(LentThreadTest, a_model_slower_than_a_wake_up_waits_for_an_executor) {
  start_and_learn(microseconds(300), {.max_batch_size = 8});
  submit_here(1, 1);
  EXPECT_FALSE(was_here());
}

TEST_F(LentThreadTest, what_comes_together_becomes_a_batch_of_an_executor) {
  start_and_learn(microseconds(20), {.max_batch_size = 8});
  submit_here(2, 1);
  EXPECT_FALSE(was_here());
  EXPECT_EQ(model_->batch_sizes().back(), 2);
}

TEST_F(LentThreadTest, a_request_of_several_rows_waits_for_an_executor) {
  start_and_learn(microseconds(20), {.max_batch_size = 8});
  submit_here(1, 4);
  EXPECT_FALSE(was_here());
}

TEST_F(LentThreadTest, a_row_that_a_window_holds_waits_for_it) {
  start_and_learn(
      microseconds(20),
      {.max_batch_size = 8, .batch_timeout = milliseconds(5), .policy = BatchPolicy::kWindow});
  JobPtr held;
  {
    const WakeScope scope(true);
    held = submit(floats({1, 2}));
  }
  EXPECT_TRUE(lending_.settle(milliseconds(5000)));
  EXPECT_EQ(held->completed(), 0);
  clock_->advance(milliseconds(5));
  EXPECT_TRUE(held->wait());
  EXPECT_FALSE(was_here());
}

TEST_F(LentThreadTest, while_an_executor_runs_the_model_nothing_runs_here) {
  start_and_learn(microseconds(20), {.executors = 2});
  const JobPtr blocked = block();
  JobPtr next;
  {
    const WakeScope scope(true);
    next = submit(floats({1, 2}));
  }
  model_->started.wait_for(10);  // on the other executor: this thread would not have come here
  EXPECT_EQ(next->completed(), 0);
  model_->gate.open();
  EXPECT_TRUE(blocked->wait());
  EXPECT_TRUE(next->wait());
  EXPECT_FALSE(was_here());
}

TEST_F(LentThreadTest, a_thread_that_was_held_up_is_not_lent_again_at_once) {
  start_and_learn(microseconds(20), {});
  extra_ = milliseconds(3);
  submit_here(1, 1);
  EXPECT_TRUE(was_here());
  extra_ = {};
  for (int i = 0; i < 50; ++i) {
    submit(floats({1, 2}))->wait();
  }
  EXPECT_TRUE(lending_.settle(milliseconds(5000)));
  {
    const std::lock_guard lock(mutex_);
    threads_.clear();
  }
  submit_here(1, 1);
  EXPECT_FALSE(was_here());
  clock_->advance(std::chrono::seconds(1));
  submit_here(1, 1);
  EXPECT_TRUE(was_here());
}

}  // namespace
}  // namespace maas
