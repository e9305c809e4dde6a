// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/pipeline.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using JobPtr = std::shared_ptr<FakeJob>;

class PipelineTest : public ::testing::Test {
 protected:
  ~PipelineTest() override { EXPECT_TRUE(engine_.close(Deadline::never())); }

  struct Part {
    std::shared_ptr<FakeModel> model;
    std::shared_ptr<ServedModel> served;
  };
  // Doubles what it gets.
  Part doubler(const std::string& name, BatchOptions options = {.max_batch_size = 8}) {
    const auto model = std::make_shared<FakeModel>();
    return {model, engine_.serve({name, 1}, model, std::move(options))};
  }
  // What a model does with two inputs: a + b.
  Part adder() {
    const auto model = std::make_shared<FakeModel>(
        Signature{.inputs = {{"a", DType::kFloat32, {}}, {"b", DType::kFloat32, {}}},
                  .outputs = {{"sum", DType::kFloat32, {}}}});
    model->behaviour = [](const Batch& batch, BatchDone done) {
      Tensor sum = Tensor::allocate(DType::kFloat32, batch.inputs[0].shape());
      for (std::size_t i = 0; i < sum.elements(); ++i) {
        sum.mutable_values<float>()[i] =
            batch.inputs[0].values<float>()[i] + batch.inputs[1].values<float>()[i];
      }
      BatchResult result;
      result.outputs = {std::move(sum)};
      done(std::move(result));
    };
    return {model, engine_.serve({"adder", 1}, model, {.max_batch_size = 8})};
  }
  static void fail_with(const Part& part, const Error& error) {
    part.model->behaviour = [error](const Batch&, BatchDone done) { done(error); };
  }
  void serve(const Pipeline::Wiring& wiring, int at_once = 8) {
    served_ = engine_.serve_composed({"chain", 1}, std::make_shared<Pipeline>(wiring),
                                     {.executors = at_once});
  }
  void serve_chain(const Part& first, const Part& second, int at_once = 8) {
    serve({{"x"}, {"y"}, {{first.served, {"x"}, {"m"}}, {second.served, {"m"}, {"y"}}}}, at_once);
  }
  JobPtr submit(Tensor x, Deadline deadline = Deadline::never()) {
    auto job = std::make_shared<FakeJob>(std::move(x), deadline);
    const Status accepted = served_->batcher().submit(job);
    EXPECT_TRUE(accepted) << accepted.error().message();
    return job;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  Engine engine_{CoreBudget{.cores = 2, .executors = 2}, clock_, nullptr};
  std::shared_ptr<ServedModel> served_;
};

TEST_F(PipelineTest, gives_each_stage_what_the_one_before_made) {
  serve_chain(doubler("a"), doubler("b"));
  EXPECT_THAT(submit(floats({2, 2}, 1))->values(), ElementsAre(4, 8, 12, 16));
}

TEST_F(PipelineTest, branches_run_beside_each_other_and_meet_again) {
  const Part a = doubler("a");
  const Part b = doubler("b");
  const Part sum = adder();
  serve({{"x"},
         {"s", "left"},
         {{sum.served, {"left", "right"}, {"s"}},
          {a.served, {"x"}, {"left"}},
          {b.served, {"x"}, {"right"}}}});
  a.model->gate.close();
  b.model->gate.close();
  const int warm_a = a.model->started.count();
  const int warm_b = b.model->started.count();
  const JobPtr job = submit(floats({1, 2}, 1));
  a.model->started.wait_for(warm_a + 1);
  b.model->started.wait_for(warm_b + 1);
  a.model->gate.open();
  b.model->gate.open();
  EXPECT_THAT(job->values(), ElementsAre(4, 8));
  EXPECT_THAT(job->wait()->outputs[1].values<float>()[1], 4);
}

TEST_F(PipelineTest, stages_share_batches_with_every_other_caller) {
  const Part a = doubler("a", {.max_batch_size = 8});
  const Part b = doubler("b");
  serve_chain(a, b);
  a.model->gate.close();
  const int warm = a.model->started.count();
  const auto blocked = std::make_shared<FakeJob>(floats({1, 2}));
  ASSERT_TRUE(a.served->batcher().submit(blocked));
  a.model->started.wait_for(warm + 1);
  const auto direct = std::make_shared<FakeJob>(floats({1, 2}));
  ASSERT_TRUE(a.served->batcher().submit(direct));
  std::vector<JobPtr> jobs;
  jobs.reserve(3);
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(submit(floats({1, 2})));
  }
  while (a.served->batcher().stats().queued.value() < 4) {
    std::this_thread::yield();
  }
  a.model->gate.open();
  for (const JobPtr& job : jobs) {
    EXPECT_TRUE(job->wait());
  }
  EXPECT_EQ(a.model->batch_sizes().back(), 4);
}

TEST_F(PipelineTest, a_request_of_more_rows_than_a_stage_takes_at_once_stays_whole) {
  const Part a = doubler("a", {.max_batch_size = 2});
  const Part b = doubler("b", {.max_batch_size = 8});
  serve_chain(a, b);
  const JobPtr job = submit(floats({5, 1}, 1));
  EXPECT_THAT(job->values(), ElementsAre(4, 8, 12, 16, 20));
  EXPECT_EQ(b.model->batch_sizes().back(), 5);
}

TEST_F(PipelineTest, the_request_that_comes_down_has_id_deadline_and_priority) {
  const Part a = doubler("a");
  const auto model = std::make_shared<FakeModel>();
  BatchItem seen;
  model->behaviour = [&seen](const Batch& batch, BatchDone done) {
    if (!batch.items.empty()) {
      seen = batch.items.front();
    }
    done(FakeModel::twice(batch));
  };
  const Part b{model, engine_.serve({"b", 1}, model, {})};
  serve_chain(a, b);
  const auto job = std::make_shared<FakeJob>(floats({1, 1}), Deadline::after(*clock_, seconds(7)));
  job->request.priority = 2;
  ASSERT_TRUE(served_->batcher().submit(job));
  EXPECT_TRUE(job->wait());
  EXPECT_EQ(seen.id.text(), job->request.id.text());
  EXPECT_EQ(seen.deadline.at(), job->request.deadline.at());
  EXPECT_EQ(seen.priority, 2);
}

TEST_F(PipelineTest, what_a_stage_fails_with_is_the_answer_and_later_stages_do_not_run) {
  const Part a = doubler("a");
  const Part b = doubler("b");
  fail_with(a, Error(ErrorCode::kUnprocessable, "not this one"));
  serve_chain(a, b);
  const std::size_t warm = b.model->seen().size();
  const JobPtr job = submit(floats({1, 1}));
  EXPECT_EQ(job->code(), ErrorCode::kUnprocessable);
  EXPECT_EQ(job->message(), "not this one");
  EXPECT_EQ(b.model->seen().size(), warm);
}

TEST_F(PipelineTest, a_stage_that_is_full_refuses_with_its_own_words) {
  const Part a = doubler("a", {.max_queue_size = 1});
  serve_chain(a, doubler("b"));
  a.model->gate.close();
  const int warm = a.model->started.count();
  const JobPtr runs = submit(floats({1, 1}));
  a.model->started.wait_for(warm + 1);
  const JobPtr waits = submit(floats({1, 1}));
  while (a.served->batcher().stats().queued.value() < 1) {
    std::this_thread::yield();
  }
  const JobPtr refused = submit(floats({1, 1}));
  EXPECT_EQ(refused->code(), ErrorCode::kOverloaded);
  a.model->gate.open();
  EXPECT_TRUE(runs->wait());
  EXPECT_TRUE(waits->wait());
}

TEST_F(PipelineTest, who_leaves_is_not_run_by_the_stages_that_follow) {
  const Part a = doubler("a");
  const Part b = doubler("b");
  serve_chain(a, b);
  a.model->gate.close();
  const int warm = a.model->started.count();
  const std::size_t runs_of_b = b.model->seen().size();
  const JobPtr job = submit(floats({1, 1}));
  a.model->started.wait_for(warm + 1);
  served_->batcher().cancel(*job, Error(ErrorCode::kCancelled, "gone"));
  a.model->gate.open();
  EXPECT_EQ(job->code(), ErrorCode::kCancelled);
  EXPECT_EQ(b.model->seen().size(), runs_of_b);
}

TEST_F(PipelineTest, what_passes_its_deadline_on_the_way_goes_no_further) {
  const Part a = doubler("a");
  const Part b = doubler("b");
  serve_chain(a, b);
  a.model->gate.close();
  const int warm = a.model->started.count();
  const std::size_t runs_of_b = b.model->seen().size();
  const JobPtr job = submit(floats({1, 1}), Deadline::after(*clock_, seconds(1)));
  a.model->started.wait_for(warm + 1);
  clock_->advance(seconds(2));
  a.model->gate.open();
  EXPECT_EQ(job->code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(b.model->seen().size(), runs_of_b);
}

TEST_F(PipelineTest, no_more_requests_are_under_way_than_it_may_have) {
  const Part a = doubler("a");
  serve_chain(a, doubler("b"), 2);
  a.model->gate.close();
  std::vector<JobPtr> jobs;
  jobs.reserve(5);
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(submit(floats({1, 1})));
  }
  while (served_->batcher().stats().queued.value() != 3) {
    std::this_thread::yield();
  }
  a.model->gate.open();
  for (const JobPtr& job : jobs) {
    EXPECT_TRUE(job->wait());
  }
}

TEST_F(PipelineTest, keeps_its_stages_and_lets_them_go_with_itself) {
  std::weak_ptr<FakeModel> gone;
  {
    const Part a = doubler("a");
    gone = a.model;
    serve_chain(a, doubler("b"));
  }
  EXPECT_TRUE(submit(floats({1, 1}))->wait());
  EXPECT_FALSE(gone.expired());
  served_.reset();
  while (!gone.expired()) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace maas
