// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>

#include "workers/fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A worker's ways to go wrong, seen through a pool of one.
class WorkerTest : public WorkersTest {};

TEST_F(WorkerTest, a_hung_worker_is_replaced_at_the_deadline) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(ask(*model, "hang", Deadline::after(*clock_, 200ms)),
              StartsWith("deadline_exceeded: "));
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 200ms + WorkerSlots::kGrace);
  EXPECT_EQ(ask(*model, "hello"), "hello");
  EXPECT_TRUE(log_.has("did not answer before the deadline"));
}

TEST_F(WorkerTest, one_that_gives_up_when_it_is_cancelled_lives_on) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  Batch batch = orders({"until cancelled"}, Deadline::after(*clock_, 50ms));
  const auto cancellation = std::const_pointer_cast<Cancellation>(batch.items[0].cancellation);
  auto answer = run(*model, std::move(batch));
  EXPECT_EQ(answer.wait_for(60ms), std::future_status::timeout);
  cancellation->cancel();
  EXPECT_EQ(text_of(std::move(answer)), "cancelled");
  EXPECT_EQ(pool->stats().deaths.value(), 0U);
}

TEST_F(WorkerTest, one_that_sends_nonsense_is_ended) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "garbage"), HasSubstr("sent what is no message"));
  EXPECT_EQ(ask(*model, "hello"), "hello");
}

TEST_F(WorkerTest, one_that_answers_what_nobody_asked_is_ended) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  EXPECT_THAT(ask(*model, "lie"), HasSubstr("sent an answer that is none"));
  EXPECT_EQ(ask(*model, "hello"), "hello");
}

TEST_F(WorkerTest, what_it_logs_arrives_with_its_request_and_trace) {
  const auto pool = make_pool();
  const auto model = make_model(pool, kObedient);
  EXPECT_EQ(ask(*model, "log"), "log");
  ASSERT_TRUE(log_.has("a word"));
  for (const LogRecord& record : log_.records()) {
    if (record.message == "a word") {
      EXPECT_EQ(record.level, LogLevel::kWarning);
      EXPECT_EQ(record.request_id, "r-1");
      EXPECT_EQ(record.trace, "line 1\nline 2");
    }
  }
}

TEST_F(WorkerTest, runs_several_batches_at_once_when_it_may) {
  most_in_flight_ = 8;
  const auto pool = make_pool();
  const auto model = make_model(pool, kLate);
  std::vector<std::future<Result<BatchResult>>> answers;
  answers.reserve(32);
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 32; ++i) {
    answers.push_back(run(*model, numbers(2, 10, static_cast<float>(i))));
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto result = answers[i].get();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->outputs[0].values<float>()[0], static_cast<float>(i));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 32 * 20ms);
}

}  // namespace
}  // namespace maas::testing
