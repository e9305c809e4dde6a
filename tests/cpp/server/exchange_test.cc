// SPDX-License-Identifier: Apache-2.0
#include "maas/server/exchange.h"

#include <memory>
#include <string>
#include <vector>

#include "../batching/fakes.h"
#include "waiting_inbox.h"
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

// Keeps what it is told.
class FakeHost final : public ExchangeHost {
 public:
  void watch(Exchange&) noexcept override { ++watched; }
  void withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept override {
    EXPECT_EQ(served.name(), "m");
    withdrawals.push_back(withdrawal);
  }
  void delivered() noexcept override { ++deliveries; }

  int watched = 0;
  int deliveries = 0;
  std::vector<Withdrawal> withdrawals;
};

// Submits to the model when there is one, and answers with "finished".
class FakeHandler final : public Handler {
 public:
  void start(Exchange& exchange) const override {
    if (throws) {
      throw Error(ErrorCode::kNotFound, "nothing \"here\"");
    }
    if (served) {
      exchange.request.inputs.push_back(Tensor::zeros(DType::kFloat32, {1, 1}));
      exchange.submit(served, {std::chrono::seconds(30)});
      return;
    }
    exchange.response.body = "at once";
    exchange.respond();
  }
  void finish(Exchange& exchange, Reply) const override {
    if (throws_later) {
      exchange.response.body = "half of it";
      throw Error(ErrorCode::kInternal, "broken");
    }
    exchange.response.body = "finished";
    exchange.respond();
  }
  bool throws = false;
  bool throws_later = false;
  std::shared_ptr<ServedModel> served;
};

struct ExchangeTest : ::testing::Test {
  std::shared_ptr<testing::FakeModel> model = std::make_shared<testing::FakeModel>();
  Engine engine{{}, std::make_shared<SystemClock>(), [](const LogRecord&) {}};
  FakeHost host;
  FakeHandler handler;
  std::shared_ptr<testing::WaitingInbox> inbox = std::make_shared<testing::WaitingInbox>();
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>(host, inbox);

  void serve() {
    handler.served = engine.serve({"m"}, model, {});
    exchange->arrived = engine.clock()->now();
  }
  void deliver() {
    for (const auto& posted : inbox->wait()) {
      posted->deliver(engine.clock()->now());
    }
  }
  std::shared_ptr<Exchange> begin_another() {
    auto another = std::make_shared<Exchange>(host, inbox);
    another->arrived = engine.clock()->now();
    another->begin(handler);
    return another;
  }
  void expect_withdrawn(Withdrawal::Reason reason, bool queued) {
    ASSERT_EQ(host.withdrawals.size(), 1U);
    EXPECT_EQ(host.withdrawals[0].reason, reason);
    EXPECT_EQ(host.withdrawals[0].queued, queued);
  }
};

TEST_F(ExchangeTest, is_answered_at_once) {
  exchange->begin(handler);
  EXPECT_TRUE(exchange->is_answered());
  EXPECT_EQ(exchange->response.body, "at once");
}

TEST_F(ExchangeTest, what_a_handler_throws_is_the_answer) {
  handler.throws = true;
  exchange->request.id = RequestId::next();
  exchange->begin(handler);
  EXPECT_EQ(exchange->response.status, 404);
  EXPECT_EQ(exchange->response.body, "{\"error\":\"nothing \\\"here\\\"\",\"request_id\":\"" +
                                         std::string(exchange->request.id.text()) + "\"}");
}

TEST_F(ExchangeTest, model_answers_through_the_host) {
  serve();
  exchange->begin(handler);
  EXPECT_EQ(host.watched, 1);
  EXPECT_FALSE(exchange->is_answered());
  deliver();
  EXPECT_EQ(exchange->response.body, "finished");
  EXPECT_EQ(host.deliveries, 1);
}

TEST_F(ExchangeTest, failure_while_finishing_replaces_what_was_written) {
  serve();
  handler.throws_later = true;
  exchange->begin(handler);
  deliver();
  EXPECT_EQ(exchange->response.status, 500);
  EXPECT_EQ(exchange->response.body.find("half"), std::string::npos);
}

TEST_F(ExchangeTest, job_that_is_refused_is_answered_at_once) {
  serve();
  exchange->request.inputs.push_back(Tensor::zeros(DType::kFloat32, {1, 1}));  // one too many
  exchange->begin(handler);
  EXPECT_EQ(exchange->response.status, 400);
  EXPECT_EQ(host.watched, 0);
}

TEST_F(ExchangeTest, answer_that_comes_after_the_deadline_is_dropped) {
  serve();
  model->gate.close();
  const int before = model->started.count();
  exchange->begin(handler);
  model->started.wait_for(before + 1);
  exchange->expire();
  EXPECT_EQ(exchange->response.status, 504);
  EXPECT_TRUE(exchange->cancelled());
  expect_withdrawn(Withdrawal::Reason::kDeadline, false);
  model->gate.open();
  deliver();
  EXPECT_EQ(exchange->response.status, 504);
  EXPECT_EQ(host.deliveries, 1);
}

TEST_F(ExchangeTest, client_that_leaves_takes_its_job_out_of_the_queue) {
  serve();
  model->gate.close();
  const int before = model->started.count();
  const auto running = begin_another();
  model->started.wait_for(before + 1);
  exchange->begin(handler);
  EXPECT_EQ(handler.served->batcher().stats().queued.value(), 1);
  exchange->leave();
  exchange->leave();
  EXPECT_EQ(handler.served->batcher().stats().queued.value(), 0);
  expect_withdrawn(Withdrawal::Reason::kClientLeft, true);
  deliver();
  EXPECT_FALSE(exchange->is_answered());
  EXPECT_FALSE(exchange->is_out());
  model->gate.open();
  deliver();
  EXPECT_EQ(running->response.body, "finished");
  EXPECT_EQ(model->started.count(), before + 1);
}

TEST_F(ExchangeTest, shutdown_is_answered_at_once) {
  serve();
  model->gate.close();
  exchange->begin(handler);
  exchange->shut_down();
  EXPECT_EQ(exchange->response.status, 503);
  ASSERT_EQ(host.withdrawals.size(), 1U);
  model->gate.open();
  deliver();
  EXPECT_EQ(exchange->response.status, 503);
}

TEST_F(ExchangeTest, job_that_comes_back_when_the_host_is_gone_finds_nobody) {
  serve();
  model->gate.close();
  exchange->begin(handler);
  exchange->leave();
  exchange->detach();
  model->gate.open();
  deliver();
  EXPECT_FALSE(exchange->is_out());
  EXPECT_EQ(host.deliveries, 0);
}

TEST_F(ExchangeTest, overload_says_when_to_come_back) {
  exchange->fail(Error(ErrorCode::kOverloaded, "full"));
  EXPECT_EQ(exchange->response.status, 503);
  EXPECT_EQ(exchange->response.headers, "Retry-After: 1\r\n");
  const auto header = [&](ErrorCode code, std::chrono::nanoseconds wait) {
    exchange->reset();
    exchange->fail(Error(code, "later").with_retry_after(wait));
    return exchange->response.headers;
  };
  EXPECT_EQ(header(ErrorCode::kUnavailable, std::chrono::milliseconds(2001)), "Retry-After: 3\r\n");
  EXPECT_EQ(header(ErrorCode::kOverloaded, std::chrono::seconds(2)), "Retry-After: 2\r\n");
  EXPECT_EQ(header(ErrorCode::kInternal, std::chrono::seconds(2)), "");
}

TEST_F(ExchangeTest, is_used_again) {
  serve();
  for (int i = 0; i < 3; ++i) {
    exchange->arrived = engine.clock()->now();
    exchange->begin(handler);
    deliver();
    EXPECT_EQ(exchange->response.body, "finished");
    exchange->reset();
    EXPECT_FALSE(exchange->is_answered());
    EXPECT_EQ(exchange->response.body, "");
  }
}

}  // namespace
}  // namespace maas
