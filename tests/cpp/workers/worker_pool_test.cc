// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_pool.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "workers/fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class WorkerPoolTest : public WorkersTest {
 protected:
  // Lets enough time pass for the worker to be started again, and no more: deaths are counted
  // within a minute.
  bool revive(const WorkerPool& pool) {
    int steps = 0;
    return eventually([&] {
      if (steps++ < 100) {
        manual_->advance(std::chrono::milliseconds(100));
      }
      return pool.stats().live.value() == 1;
    });
  }
  std::shared_ptr<WorkerPool> make_manual_pool() {
    clock_ = manual_;
    return make_pool();
  }
  std::shared_ptr<ManualClock> manual_ = std::make_shared<ManualClock>();
};

bool is_gone(pid_t pid) {
  return ::kill(pid, 0) != 0;
}

TEST_F(WorkerPoolTest, is_ready_when_all_its_processes_are) {
  const auto pool = make_pool(3);
  EXPECT_EQ(pool->stats().live.value(), 3);
  const auto pids = pool->pids();
  EXPECT_EQ(std::set(pids.begin(), pids.end()).size(), 3U);
  EXPECT_FALSE(pool->unavailable());
}

TEST_F(WorkerPoolTest, what_keeps_a_worker_from_serving_is_why_the_pool_is_not_made) {
  try {
    (void)make_pool(2, "fail ValueError: no weights (app.py:3)");
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "endpoint /test cannot be served: ValueError: no weights (app.py:3)");
  }
}

TEST_F(WorkerPoolTest, a_worker_that_ends_before_it_is_ready_is_told_with_its_exit_code) {
  try {
    (void)make_pool(1, "exit");
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("ended with exit code 4 before it was ready"));
  }
}

TEST_F(WorkerPoolTest, a_program_that_is_not_there_is_named) {
  WorkerPool::Options options;
  options.name = "endpoint /test";
  options.worker.command.arguments = {"/nowhere/python"};
  options.worker.clock = clock_;
  try {
    const WorkerPool pool(std::move(options));
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("/nowhere/python"));
  }
}

TEST_F(WorkerPoolTest, its_processes_end_with_it) {
  auto pool = make_pool(2);
  const auto pids = pool->pids();
  pool.reset();
  for (const pid_t pid : pids) {
    EXPECT_TRUE(is_gone(pid));
  }
  EXPECT_FALSE(log_.has("was killed"));
}

TEST_F(WorkerPoolTest, a_stopped_pool_answers_at_once_and_may_be_stopped_again) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  pool->stop();
  pool->stop();
  EXPECT_EQ(ask(*model, "hello"), "unavailable: endpoint /test was stopped");
}

TEST_F(WorkerPoolTest, stopping_fails_what_a_hung_worker_runs) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  auto answer = run(*model, orders({"hang"}));
  pool->stop();
  EXPECT_EQ(text_of(std::move(answer)), "unavailable: endpoint /test was stopped");
}

TEST_F(WorkerPoolTest, batches_go_to_different_workers_and_wait_when_all_are_busy) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient);
  Batch first = orders({"until cancelled"});
  Batch second = orders({"until cancelled"});
  const auto let_go = [](const Batch& batch) {
    return std::const_pointer_cast<Cancellation>(batch.items[0].cancellation);
  };
  const auto first_goes = let_go(first);
  const auto second_goes = let_go(second);
  auto one = run(*model, std::move(first));
  auto two = run(*model, std::move(second));
  auto three = run(*model, orders({"third"}));
  EXPECT_EQ(three.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  second_goes->cancel();
  EXPECT_EQ(text_of(std::move(two)), "cancelled");
  EXPECT_EQ(text_of(std::move(three)), "third");
  first_goes->cancel();
  EXPECT_EQ(text_of(std::move(one)), "cancelled");
}

TEST_F(WorkerPoolTest, a_worker_that_dies_fails_its_batch_alone_and_is_started_again) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "kill"), AllOf(StartsWith("unavailable: "), HasSubstr("signal 9")));
  EXPECT_EQ(ask(*model, "hello"), "hello");
  EXPECT_TRUE(eventually([&] { return pool->stats().live.value() == 2; }));
  EXPECT_EQ(pool->stats().deaths.value(), 1U);
  EXPECT_EQ(pool->stats().starts.value(), 3U);
  EXPECT_TRUE(log_.has("while it ran 1 batch; it is started again in 0.5 s"));
}

TEST_F(WorkerPoolTest, an_idempotent_batch_runs_once_more) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient, true);
  Batch batch = orders({"until cancelled"});
  const auto lets_go = std::const_pointer_cast<Cancellation>(batch.items[0].cancellation);
  auto answer = run(*model, std::move(batch));
  const auto pids = pool->pids();
  ::kill(pids[0], SIGKILL);
  EXPECT_TRUE(eventually([&] { return pool->stats().retries.value() == 1; }));
  lets_go->cancel();
  EXPECT_EQ(text_of(std::move(answer)), "cancelled");
}

TEST_F(WorkerPoolTest, but_not_twice) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient, true);
  EXPECT_THAT(ask(*model, "exit"), AllOf(StartsWith("unavailable: "), HasSubstr("exit code 3")));
  EXPECT_EQ(pool->stats().deaths.value(), 2U);
}

TEST_F(WorkerPoolTest, a_batch_of_several_is_left_to_the_batcher_to_divide) {
  const auto pool = make_pool(1);
  const auto model = make_model(pool, kObedient, true);
  auto answer = run(*model, orders({"hello", "exit"}));
  const auto result = answer.get();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is_shared());
  EXPECT_EQ(result.error().http_status(), 503);
}

TEST_F(WorkerPoolTest, and_is_not_when_it_may_not_run_again) {
  const auto pool = make_pool(1);
  const auto model = make_model(pool, kObedient);
  auto answer = run(*model, orders({"hello", "exit"}));
  const auto result = answer.get();
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.error().is_shared());
  EXPECT_TRUE(result.error().is_final());
}

TEST_F(WorkerPoolTest, a_request_that_ended_its_worker_twice_is_refused) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "exit"), StartsWith("unavailable: "));
  EXPECT_THAT(ask(*model, "exit"), StartsWith("unavailable: "));
  EXPECT_THAT(ask(*model, "exit"), AllOf(StartsWith("unprocessable: "), HasSubstr("2 times")));
  EXPECT_EQ(pool->stats().deaths.value(), 2U);
  EXPECT_EQ(ask(*model, "hello"), "hello");
}

TEST_F(WorkerPoolTest, a_batch_with_a_suspect_is_divided_before_it_runs) {
  const auto pool = make_pool(2);
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "exit"), StartsWith("unavailable: "));
  const auto result = run(*model, orders({"hello", "exit"})).get();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is_shared());
  EXPECT_EQ(pool->stats().deaths.value(), 1U);
}

TEST_F(WorkerPoolTest, five_deaths_raise_the_alarm_until_it_has_cooled_down) {
  const auto pool = make_manual_pool();
  const auto model = make_model(pool, kObedient);
  for (int i = 0; i < DeathWatch::kMost; ++i) {
    EXPECT_TRUE(revive(*pool));
    EXPECT_THAT(ask(*model, "exit " + std::to_string(i)), HasSubstr("exit code 3"));
  }
  EXPECT_THAT(ask(*model, "hello"),
              StartsWith("unavailable: endpoint /test is unavailable: its worker processes died 5 "
                         "times within 60 s"));
  EXPECT_TRUE(pool->unavailable());
  EXPECT_TRUE(log_.has("ALARM"));
  EXPECT_EQ(pool->stats().alarms.value(), 1U);
  manual_->advance(DeathWatch::kCoolDown);
  EXPECT_FALSE(pool->unavailable());
  EXPECT_EQ(ask(*model, "hello"), "hello");
}

TEST_F(WorkerPoolTest, deaths_from_outside_are_forgiven_when_batches_are_answered) {
  const auto pool = make_manual_pool();
  const auto model = make_model(pool, kObedient);
  for (int i = 0; i < 2 * DeathWatch::kMost; ++i) {
    const std::string pid = ask(*model, "pid");
    ::kill(std::stoi(pid), SIGKILL);
    EXPECT_TRUE(eventually([&] { return pool->stats().live.value() == 0; }));
    EXPECT_TRUE(revive(*pool));
  }
  EXPECT_FALSE(pool->unavailable());
  EXPECT_EQ(ask(*model, "hello"), "hello");
}

TEST_F(WorkerPoolTest, a_batch_that_waits_for_a_worker_is_answered_at_its_deadline) {
  const auto pool = make_manual_pool();
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "exit"), HasSubstr("exit code 3"));
  auto answer =
      run(*model, orders({"hello"}, Deadline::after(*clock_, std::chrono::milliseconds(100))));
  EXPECT_TRUE(eventually([&] {
    manual_->advance(std::chrono::milliseconds(100));
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }));
  EXPECT_THAT(text_of(std::move(answer)), AnyOf(StartsWith("deadline_exceeded"), "hello"));
}

TEST_F(WorkerPoolTest, many_batches_from_many_threads_all_come_back_while_workers_are_killed) {
  const auto pool = make_pool(3);
  const auto model = make_model(pool, kEcho, true);
  std::atomic<int> right{0};
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  const auto ask_often = [&](int thread) {
    for (int i = 0; i < kEach; ++i) {
      const auto first = static_cast<float>(1000 * thread + i);
      const auto result = run(*model, numbers(4, 100, first)).get();
      right += static_cast<int>(result && result->outputs[0].values<float>()[0] == first);
    }
  };
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back(ask_often, t);
  }
  EXPECT_TRUE(eventually([&] { return right > kThreads * kEach / 4; }));
  ::kill(pool->pids()[0], SIGKILL);
  threads.clear();
  EXPECT_EQ(right, kThreads * kEach);
}

}  // namespace
}  // namespace maas::testing
