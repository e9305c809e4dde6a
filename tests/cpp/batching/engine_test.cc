// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/engine.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fakes.h"
#include "on_threads.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/guarded.h"
#include "maas/batching/call.h"

namespace maas {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;
using ::testing::IsEmpty;
using JobPtr = std::shared_ptr<FakeJob>;

Signature pairs() {
  return {.inputs = {{"x", DType::kFloat32, Shape{2}}},
          .outputs = {{"y", DType::kFloat32, Shape{2}}}};
}

std::shared_ptr<FakeModel> make_model() {
  return std::make_shared<FakeModel>(pairs());
}

class EngineTest : public ::testing::Test {
 protected:
  static JobPtr submit(ServedModel& served) {
    auto job = std::make_shared<FakeJob>(floats({1, 2}));
    EXPECT_TRUE(served.batcher().submit(job));
    return job;
  }
  // Waits until the model is gone, whoever destroys it.
  static void wait_until_gone(const std::weak_ptr<FakeModel>& model) {
    while (!model.expired()) {
      std::this_thread::yield();
    }
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  Engine engine_{CoreBudget{.cores = 2}, clock_, nullptr};
};

TEST_F(EngineTest, serving_warms_up_the_smallest_and_the_largest_batch) {
  const auto model = make_model();
  const auto served = engine_.serve({"m", 1}, model, {.max_batch_size = 8});
  EXPECT_THAT(model->batch_sizes(), ElementsAre(1, 8));
  EXPECT_TRUE(submit(*served)->wait());
  const auto single = make_model();
  const auto other = engine_.serve({"s", 1}, single, {});
  EXPECT_THAT(single->batch_sizes(), ElementsAre(1));
}

TEST_F(EngineTest, a_model_that_fails_to_warm_up_is_not_served) {
  const auto model = make_model();
  model->behaviour = [](const Batch&, const BatchDone&) { throw std::runtime_error("no weights"); };
  EXPECT_THROW((void)engine_.serve({"m", 1}, model, {}), std::runtime_error);
  model->behaviour = [](const Batch&, BatchDone done) {
    done(Error(ErrorCode::kInvalidArgument, "no weights"));
  };
  EXPECT_THROW((void)engine_.serve({"m", 1}, model, {}), Error);
  EXPECT_THROW((void)engine_.serve({"m", 1}, model, {.max_batch_size = 0}), Error);
  EXPECT_EQ(model.use_count(), 1);
}

TEST_F(EngineTest, a_model_apart_is_not_warmed_up_and_has_threads_of_its_own) {
  const auto model = make_model();
  const auto served = engine_.serve_apart({"m", 1}, model, {.executors = 3}, 3);
  EXPECT_THAT(model->batch_sizes(), IsEmpty());
  model->gate.close();
  std::vector<JobPtr> jobs;
  jobs.reserve(4);
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(submit(*served));
  }
  model->started.wait_for(3);
  model->gate.open();
  for (const JobPtr& job : jobs) {
    job->wait();
  }
  EXPECT_EQ(model->most_running(), 3);
}

TEST_F(EngineTest, a_blocked_model_apart_never_delays_another_model) {
  const auto stuck = make_model();
  const auto apart = engine_.serve_apart({"stuck", 1}, stuck, {}, 1);
  const auto other_apart = engine_.serve_apart({"other", 1}, make_model(), {}, 1);
  const auto shared = engine_.serve({"shared", 1}, make_model(), {});
  stuck->gate.close();
  const JobPtr blocked = submit(*apart);
  stuck->started.wait_for(1);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(submit(*shared)->wait());
    EXPECT_TRUE(submit(*other_apart)->wait());
  }
  EXPECT_FALSE(blocked->answered());
  stuck->gate.open();
}

TEST_F(EngineTest, its_executors_grow_for_a_model_that_may_run_more_at_once) {
  const auto model = make_model();
  const auto served = engine_.serve({"m", 1}, model, {.executors = 3});
  model->gate.close();
  std::vector<JobPtr> jobs;
  jobs.reserve(3);
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(submit(*served));
  }
  model->started.wait_for(1 + 3);  // one was the warm-up
  model->gate.open();
}

// The job that holds the last reference is answered by the thread that the model's end waits for.
class LastReference final : public Job {
 public:
  explicit LastReference(std::shared_ptr<ServedModel> served) : served_(std::move(served)) {
    request.inputs.push_back(floats({1, 2}));
  }
  void complete(Result<Reply>) noexcept override {
    served_.reset();
    done.add();
  }
  testing::Progress done;

 private:
  std::shared_ptr<ServedModel> served_;
};

TEST_F(EngineTest, the_last_reference_may_be_dropped_on_the_models_own_executor) {
  for (const bool apart : {false, true}) {
    auto model = make_model();
    const std::weak_ptr<FakeModel> alive = model;
    auto served = apart ? engine_.serve_apart({"m", 1}, std::move(model), {}, 1)
                        : engine_.serve({"m", 1}, std::move(model), {});
    Batcher& batcher = served->batcher();
    const auto job = std::make_shared<LastReference>(std::move(served));
    EXPECT_TRUE(batcher.submit(job));
    job->done.wait_for(1);
    wait_until_gone(alive);
  }
}

// Tells on which thread it died.
class Mortal final : public Model {
 public:
  explicit Mortal(std::atomic<std::thread::id>& died_on) : died_on_(died_on) {}
  ~Mortal() override { died_on_ = std::this_thread::get_id(); }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "mortal"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    ran_on = std::this_thread::get_id();
    done(FakeModel::twice(batch));
  }
  std::thread::id ran_on;

 private:
  std::atomic<std::thread::id>& died_on_;
  const Signature signature_ = testing::any_floats();
};

TEST_F(EngineTest, a_model_dies_neither_on_an_executor_nor_on_the_thread_that_dropped_it) {
  const auto busy_model = make_model();
  const auto busy = engine_.serve({"busy", 1}, busy_model, {});
  for (int round = 0; round < 50; ++round) {
    std::atomic<std::thread::id> died_on{};
    auto model = std::make_shared<Mortal>(died_on);
    const Mortal* const seen = model.get();
    auto served = engine_.serve({"m", round}, std::move(model), {});
    submit(*served)->wait();
    const std::thread::id executor = seen->ran_on;
    std::vector<JobPtr> noise;
    noise.reserve(5);
    for (int i = 0; i < 5; ++i) {
      noise.push_back(submit(*busy));
    }
    served.reset();
    while (died_on.load() == std::thread::id()) {
      std::this_thread::yield();
    }
    EXPECT_NE(died_on.load(), executor);
    EXPECT_NE(died_on.load(), std::this_thread::get_id());
    for (const JobPtr& job : noise) {
      job->wait();
    }
  }
}

TEST_F(EngineTest, a_dropped_model_answers_what_it_had_accepted) {
  const auto model = make_model();
  auto served = engine_.serve({"m", 1}, model, {});
  model->gate.close();
  std::vector<JobPtr> jobs;
  jobs.reserve(20);
  for (int i = 0; i < 20; ++i) {
    jobs.push_back(submit(*served));
  }
  served.reset();  // does not wait
  model->gate.open();
  for (const JobPtr& job : jobs) {
    EXPECT_TRUE(job->wait());
  }
}

TEST_F(EngineTest, closing_refuses_new_work_everywhere_and_waits_for_the_rest) {
  const auto slow_model = make_model();
  const auto slow = engine_.serve({"slow", 1}, slow_model, {});
  const auto other = engine_.serve_apart({"other", 1}, make_model(), {}, 1);
  slow_model->gate.close();
  const JobPtr runs = submit(*slow);
  slow_model->started.wait_for(2);
  const JobPtr drains = submit(*other);
  const Deadline deadline = Deadline::after(*clock_, seconds(3));
  bool in_time = true;
  std::jthread closer([&] { in_time = engine_.close(deadline); });
  while (true) {  // while the slow model is waited for, the other one refuses already
    const auto job = std::make_shared<FakeJob>(floats({1, 2}));
    if (const Status status = other->batcher().submit(job); !status) {
      EXPECT_EQ(status.error().code(), ErrorCode::kUnavailable);
      break;
    }
    job->wait();
  }
  EXPECT_TRUE(drains->wait());
  clock_->advance(seconds(3));
  closer.join();
  EXPECT_FALSE(in_time);
  slow_model->gate.open();
  EXPECT_TRUE(runs->wait());
  EXPECT_TRUE(engine_.close(Deadline::never()));
}

// A model that asks another one while it runs, as a Python callable may.
TEST_F(EngineTest, a_model_may_call_another_one_from_its_run) {
  const auto inner = engine_.serve({"inner", 1}, make_model(), {});
  const auto model = make_model();
  model->behaviour = [&](const Batch& batch, BatchDone done) {
    auto reply = call(inner->batcher(), batch.inputs, *clock_, Caller{});
    done(BatchResult{std::move(reply).value().outputs, {}});
  };
  const auto outer = engine_.serve_apart({"outer", 1}, model, {}, 1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(submit(*outer)->values(), ElementsAre(0, 2));
  }
}

TEST_F(EngineTest, models_come_and_go_under_load) {
  Guarded<std::shared_ptr<ServedModel>> live(engine_.serve({"m", 0}, make_model(), {}));
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  const auto copy = [](const auto& model) { return model; };
  auto clients = testing::start_threads(3, [&](std::size_t) {
    while (!stop) {
      const auto served = live.with(copy);
      EXPECT_TRUE(submit(*served)->wait());
      ++answered;
    }
  });
  for (int version = 1; version <= 60; ++version) {
    auto next = version % 2 == 0
                    ? engine_.serve({"m", version}, make_model(), {.max_batch_size = 4})
                    : engine_.serve_apart({"m", version}, make_model(), {.max_batch_size = 4}, 2);
    live.with([&](auto& model) { model.swap(next); });
  }
  stop = true;
  clients.clear();
  EXPECT_GT(answered, 0);
}

// The model of an engine that has served a job and is gone.
std::weak_ptr<FakeModel> live_and_die(const std::shared_ptr<Clock>& clock, int round) {
  Engine engine({.cores = 2}, clock, nullptr);
  auto model = make_model();
  std::weak_ptr<FakeModel> alive = model;
  const auto served = round % 2 == 0 ? engine.serve({"m", 1}, std::move(model), {})
                                     : engine.serve_apart({"m", 1}, std::move(model), {}, 2);
  const auto job = std::make_shared<FakeJob>(floats({1, 2}));
  EXPECT_TRUE(served->batcher().submit(job));
  if (round % 3 == 0) {
    job->wait();
  }
  return alive;
}

TEST(EngineLife, engines_can_be_made_and_destroyed_many_times) {
  const auto clock = std::make_shared<ManualClock>();
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(live_and_die(clock, i).expired());
  }
}

}  // namespace
}  // namespace maas
