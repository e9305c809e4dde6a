// SPDX-License-Identifier: Apache-2.0
#include "maas/server/exchange.h"

#include <memory>
#include <string>
#include <vector>

#include "../batching/fakes.h"
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

// Keeps what it is told.
class FakeHost final : public ExchangeHost {
 public:
  void post(std::shared_ptr<Exchange> exchange) noexcept override {
    const std::lock_guard lock(mutex_);
    posted_ = std::move(exchange);
    changed_.notify_all();
  }
  void answered(Exchange&) noexcept override { ++answers; }
  void watch(Exchange&) noexcept override { ++watched; }
  std::shared_ptr<Exchange> wait_posted() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return posted_ != nullptr; });
    return std::move(posted_);
  }

  int answers = 0;
  int watched = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Exchange> posted_;  // guarded by mutex_
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
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>(host);

  void serve() {
    handler.served = engine.serve({"m"}, model, {});
    exchange->arrived = engine.clock()->now();
  }
};

TEST_F(ExchangeTest, is_answered_at_once) {
  exchange->begin(handler);
  EXPECT_TRUE(exchange->is_answered());
  EXPECT_EQ(exchange->response.body, "at once");
  EXPECT_EQ(host.answers, 1);
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
  host.wait_posted()->deliver();
  EXPECT_EQ(exchange->response.body, "finished");
  EXPECT_EQ(host.answers, 1);
}

TEST_F(ExchangeTest, failure_while_finishing_replaces_what_was_written) {
  serve();
  handler.throws_later = true;
  exchange->begin(handler);
  host.wait_posted()->deliver();
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
  exchange->begin(handler);
  exchange->expire();
  EXPECT_EQ(exchange->response.status, 504);
  EXPECT_TRUE(exchange->cancelled());
  model->gate.open();
  host.wait_posted()->deliver();
  EXPECT_EQ(exchange->response.status, 504);
  EXPECT_EQ(host.answers, 1);
}

TEST_F(ExchangeTest, overload_says_when_to_come_back) {
  exchange->fail(Error(ErrorCode::kOverloaded, "full"));
  EXPECT_EQ(exchange->response.status, 503);
  EXPECT_EQ(exchange->response.headers, "Retry-After: 1\r\n");
}

TEST_F(ExchangeTest, is_used_again) {
  serve();
  for (int i = 0; i < 3; ++i) {
    exchange->arrived = engine.clock()->now();
    exchange->begin(handler);
    host.wait_posted()->deliver();
    EXPECT_EQ(exchange->response.body, "finished");
    exchange->reset();
    EXPECT_FALSE(exchange->is_answered());
    EXPECT_EQ(exchange->response.body, "");
  }
}

}  // namespace
}  // namespace maas
