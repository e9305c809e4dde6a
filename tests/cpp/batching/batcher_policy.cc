// SPDX-License-Identifier: Apache-2.0
// What the batcher does with time: windows, priorities, deadlines, cancellation, admission.
#include <chrono>
#include <memory>
#include <vector>

#include "batcher_fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class BatcherPolicyTest : public testing::BatcherFixture {
 protected:
  JobPtr submit_with_priority(int priority, float value) {
    auto job = std::make_shared<FakeJob>(floats({1, 1}, value));
    job->request.priority = priority;
    EXPECT_TRUE(batcher_->submit(job));
    return job;
  }
  // The order in which the model saw one-row batches, by their first value.
  void remember_order() {
    model_->behaviour = [this](const Batch& batch, BatchDone done) {
      order_.push_back(batch.inputs[0].values<float>()[0]);
      done(FakeModel::twice(batch));
    };
  }
  // Every batch takes this long.
  void take_time(Duration duration) {
    model_->behaviour = [this, duration](const Batch& batch, BatchDone done) {
      clock_->advance(duration);
      done(FakeModel::twice(batch));
    };
  }

  std::vector<float> order_;  // written by the one executor, read when it has answered
};

TEST_F(BatcherPolicyTest, an_eager_window_ends_when_an_executor_would_idle) {
  start({.max_batch_size = 8, .batch_timeout = seconds(10)});
  EXPECT_TRUE(submit(floats({1, 2}))->wait());
  EXPECT_EQ(clock_->now(), TimePoint{});
}

TEST_F(BatcherPolicyTest, an_eager_window_lets_another_models_ready_work_go_first) {
  start({.max_batch_size = 8, .batch_timeout = seconds(10)});
  remember_order();
  const auto other_model = std::make_shared<FakeModel>();
  other_model->behaviour = [this](const Batch& batch, BatchDone done) {
    order_.push_back(-1);
    done(FakeModel::twice(batch));
  };
  const auto other =
      std::make_shared<Batcher>(other_model, BatchOptions{}, Batcher::Host{clock_, pool_, bytes_});
  pool_.add(other);
  const JobPtr first = block();
  const JobPtr held = submit(floats({1, 1}, 7));
  std::vector<JobPtr> ready;
  for (int i = 0; i < 3; ++i) {
    ready.push_back(std::make_shared<FakeJob>(floats({1, 1})));
    EXPECT_TRUE(other->submit(ready.back()));
  }
  model_->gate.open();
  EXPECT_TRUE(held->wait());
  EXPECT_THAT(order_, ElementsAre(0, -1, -1, -1, 7));
  pool_.remove(other.get());
}

TEST_F(BatcherPolicyTest, a_batch_that_waits_for_an_executor_grows_until_it_starts) {
  start({.max_batch_size = 8, .batch_timeout = milliseconds(5), .policy = BatchPolicy::kWindow});
  const JobPtr first = block_in_window();
  const JobPtr early = submit(floats({1, 2}));
  clock_->advance(milliseconds(50));  // its window is over, its executor busy
  const JobPtr late = submit(floats({1, 2}));
  model_->gate.open();
  EXPECT_EQ(early->wait()->timings.batch_rows, 2);
  EXPECT_EQ(late->wait()->timings.batch_rows, 2);
}

TEST_F(BatcherPolicyTest, better_priorities_go_first_and_equal_ones_in_order) {
  start({});
  remember_order();
  block();
  submit_with_priority(10, 1);
  submit_with_priority(5, 2);
  submit_with_priority(1, 3);
  submit_with_priority(5, 4);
  const JobPtr last = submit_with_priority(10, 5);
  model_->gate.open();
  last->wait();
  EXPECT_THAT(order_, ElementsAre(0, 3, 2, 4, 1, 5));
}

TEST_F(BatcherPolicyTest, low_priorities_are_late_but_never_starved) {
  start({});
  remember_order();
  block();
  const JobPtr low = submit_with_priority(10, 1);
  clock_->advance(9 * kPriorityAgeing);
  submit_with_priority(1, 2);  // came as long after as ageing makes up for
  clock_->advance(kPriorityAgeing);
  const JobPtr last = submit_with_priority(1, 3);
  model_->gate.open();
  last->wait();
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3));
}

TEST_F(BatcherPolicyTest, a_cancelled_job_leaves_the_queue_at_once_and_its_mates_stay) {
  start({.max_batch_size = 4});
  block();
  const JobPtr gone = submit(floats({1, 2}));
  const JobPtr stays = submit(floats({1, 2}, 5));
  EXPECT_TRUE(batcher_->cancel(*gone, Error(ErrorCode::kCancelled, "the client left")));
  EXPECT_TRUE(gone->answered());  // while the executor is still busy
  EXPECT_EQ(batcher_->stats().queued.value(), 1);
  model_->gate.open();
  EXPECT_THAT(stays->values(), ElementsAre(10, 12));
  EXPECT_THAT(model_->batch_sizes(), ElementsAre(1, 1));
}

TEST_F(BatcherPolicyTest, a_running_job_is_told_that_it_is_cancelled) {
  std::shared_ptr<const Cancellation> seen;
  model_->behaviour = [&](const Batch& batch, BatchDone done) {
    seen = batch.items.at(0).cancellation;
    done(FakeModel::twice(batch));
  };
  start({});
  const JobPtr job = block();
  EXPECT_FALSE(batcher_->cancel(*job, Error(ErrorCode::kCancelled, "the client left")));
  model_->gate.open();
  job->wait();
  EXPECT_TRUE(seen->cancelled());
}

TEST_F(BatcherPolicyTest, all_parts_of_a_cancelled_job_leave_the_queue) {
  start({.max_batch_size = 2});
  block();
  const JobPtr large = submit(floats({7, 2}));
  EXPECT_EQ(batcher_->stats().queued.value(), 4);
  EXPECT_TRUE(batcher_->cancel(*large, Error(ErrorCode::kCancelled, "the client left")));
  EXPECT_EQ(batcher_->stats().queued.value(), 0);
  EXPECT_EQ(large->code(), ErrorCode::kCancelled);
  EXPECT_EQ(large->completed(), 1);
}

TEST_F(BatcherPolicyTest, what_cannot_meet_its_deadline_is_refused_with_the_wait) {
  take_time(seconds(2));
  start({.max_batch_size = 4});
  submit(floats({1, 2}))->wait();  // now the batcher knows what a batch takes
  model_->gate.close();
  const JobPtr running = submit(floats({1, 2}));
  model_->started.wait_for(2);
  std::vector<JobPtr> queued;
  queued.reserve(8);
  for (int i = 0; i < 8; ++i) {
    queued.push_back(submit(floats({1, 2}), Deadline::after(*clock_, seconds(60))));
  }
  const auto hurried =
      std::make_shared<FakeJob>(floats({1, 2}), Deadline::after(*clock_, seconds(5)));
  const Status refused = batcher_->submit(hurried);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message(), HasSubstr("before the deadline"));
  EXPECT_GE(refused.error().retry_after(), seconds(4));
  EXPECT_LE(refused.error().retry_after(), seconds(8));
  model_->gate.open();
}

TEST_F(BatcherPolicyTest, an_idle_model_takes_what_it_is_thought_too_slow_for) {
  take_time(seconds(20));
  start({});
  submit(floats({1, 2}))->wait();
  const JobPtr job = submit(floats({1, 2}), Deadline::after(*clock_, seconds(1)));
  EXPECT_TRUE(job->wait());
}

TEST_F(BatcherPolicyTest, a_full_queue_says_when_to_come_back) {
  take_time(seconds(3));
  start({.max_queue_size = 4});
  submit(floats({1, 2}))->wait();
  model_->gate.close();
  submit(floats({1, 2}));
  model_->started.wait_for(2);
  for (int i = 0; i < 4; ++i) {
    submit(floats({1, 2}));
  }
  const Status refused = refuse(floats({1, 2}));
  EXPECT_GE(refused.error().retry_after(), seconds(12));
  EXPECT_LE(refused.error().retry_after(), seconds(15));
  EXPECT_EQ(batcher_->admits().error().code(), ErrorCode::kOverloaded);
  model_->gate.open();
}

TEST_F(BatcherPolicyTest, held_bytes_are_bounded_over_all_and_given_back) {
  start({});
  EXPECT_TRUE(bytes_.try_take(kByteLimit - 20));
  block();  // 8 bytes
  const JobPtr fits = submit(floats({1, 3}));
  const Status refused = refuse(floats({1, 1}));
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message(), HasSubstr("max_held_bytes"));
  model_->gate.open();
  fits->wait();
  EXPECT_TRUE(submit(floats({1, 1}))->wait());
  bytes_.give_back(kByteLimit - 20);
}

}  // namespace
}  // namespace maas
