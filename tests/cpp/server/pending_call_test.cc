// SPDX-License-Identifier: Apache-2.0
#include "maas/server/pending_call.h"

#include <chrono>
#include <memory>
#include <string>

#include "transport_fixture.h"
#include <gtest/gtest.h>

#include "maas/exec/thread.h"

namespace maas {
namespace {

using testing::FakeModel;
using testing::TestRoutes;

// An engine whose clock stands still.
struct Fixture {
  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
  std::shared_ptr<FakeModel> model = std::make_shared<FakeModel>();
  Engine engine{{}, clock, [](const LogRecord&) {}};
  std::shared_ptr<ServedModel> served = engine.serve({"m"}, model, {});
  TestRoutes routes{served};

  ServerState state;
  ByteBudget bytes{100'000};

  ModelStats& stats() { return served->batcher().stats(); }

  std::unique_ptr<PendingCall> begin(Server::Call call) {
    auto pending = std::make_unique<PendingCall>(std::move(call), *clock, state, bytes);
    pending->begin([this](Exchange& exchange) { exchange.begin(routes); });
    return pending;
  }
  Server::Answer call(Server::Call call) { return begin(std::move(call))->wait(); }
};

std::string header(const Server::Answer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

TEST(PendingCall, gives_the_answer_of_a_route) {
  Fixture fixture;
  const auto answer =
      fixture.call({.method = "POST", .target = "/echo", .headers = {}, .body = "x"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "x");
  EXPECT_EQ(header(answer, "Content-Type"), "application/json");
  EXPECT_EQ(header(answer, "X-Request-Id").size(), 16U);
}

TEST(PendingCall, target_is_divided_and_head_has_no_body) {
  Fixture fixture;
  EXPECT_EQ(fixture.call({"GET", "/target?a=b", {}, {}}).body, "/target|a=b");
  EXPECT_EQ(fixture.call({"HEAD", "/target", {}, {}}).body, "");
  EXPECT_EQ(fixture.call({"GET", "target", {}, {}}).status, 400);
  EXPECT_EQ(fixture.call({"GET", "/nothing", {}, {}}).status, 404);
}

// A model that answers with one stream, which the test writes.
struct Streaming : Fixture {
  Streaming() {
    model->behaviour = [this](const Batch& batch, BatchDone done) {
      BatchResult result = FakeModel::twice(batch);
      result.streams = {items};
      held = std::move(done);
      held(std::move(result));
    };
  }
  ~Streaming() { held = {}; }
  std::shared_ptr<ItemStream> items = std::make_shared<ItemStream>();
  BatchDone held;
};

TEST(PendingCall, a_stream_is_read_bit_by_bit_and_is_in_flight_until_its_end) {
  Streaming fixture;
  fixture.items->write("1");
  const auto call = fixture.begin({"POST", "/model", {}, {}});
  const auto answer = call->wait();
  EXPECT_EQ(header(answer, "Content-Type"), "text/event-stream");
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(call->read(), "id: 0\ndata: 1\n\n");
  EXPECT_EQ(fixture.state.in_flight.value(), 1);
  const Thread writer("writer", [&] {
    fixture.items->write("2");
    fixture.items->end();
  });
  std::string rest;
  for (std::string more = call->read(); !more.empty(); more = call->read()) {
    rest += more;
  }
  EXPECT_EQ(rest, "id: 1\ndata: 2\n\n");
  EXPECT_EQ(call->read(), "");
  EXPECT_EQ(fixture.state.in_flight.value(), 0);
}

TEST(PendingCall, an_item_that_comes_too_late_ends_a_stream_with_an_error) {
  Streaming fixture;
  fixture.items->write("1");
  const auto call = fixture.begin({"POST", "/model", {}, {}});
  call->read();
  fixture.clock->advance(std::chrono::seconds(30));
  EXPECT_NE(call->read().find("\"status\":504"), std::string::npos);
  EXPECT_EQ(call->read(), "");
  EXPECT_TRUE(fixture.items->closed());
}

TEST(PendingCall, dropping_a_stream_closes_it) {
  Streaming fixture;
  fixture.items->write("1");
  auto call = fixture.begin({"POST", "/model", {}, {}});
  call->wait();
  call.reset();
  EXPECT_TRUE(fixture.items->closed());
  EXPECT_EQ(fixture.state.in_flight.value(), 0);
}

TEST(PendingCall, waits_for_the_model) {
  Fixture fixture;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(fixture.call({"POST", "/model", {}, {}}).body, "outputs: 1");
  }
}

TEST(PendingCall, is_in_its_queue_when_it_was_begun_and_answered_at_its_deadline) {
  Fixture fixture;
  fixture.model->gate.close();
  const int before = fixture.model->started.count();
  const auto running = fixture.begin({"POST", "/model", {}, {}});
  fixture.model->started.wait_for(before + 1);
  const auto queued = fixture.begin({"POST", "/model", {}, {}});
  EXPECT_EQ(fixture.stats().queued.value(), 1);
  EXPECT_EQ(fixture.state.in_flight.value(), 2);
  EXPECT_FALSE(running->done());
  fixture.clock->advance(std::chrono::seconds(31));
  EXPECT_TRUE(running->done());
  EXPECT_EQ(running->wait().status, 504);
  EXPECT_EQ(queued->wait().status, 504);
  EXPECT_EQ(queued->wait().status, 504);
  EXPECT_EQ(fixture.stats().queued.value(), 0);
  EXPECT_EQ(fixture.state.in_flight.value(), 0);
  EXPECT_EQ(fixture.state.withdrawals.of("m", 1)[2], 1U);
  EXPECT_EQ(fixture.state.withdrawals.of("m", 1)[3], 1U);
  fixture.model->gate.open();  // the job comes back to calls that nobody waits for
}

TEST(PendingCall, one_that_waits_is_woken_by_the_deadline_or_by_cancelling) {
  for (const bool cancels : {false, true}) {
    Fixture fixture;
    fixture.model->gate.close();
    const auto call = fixture.begin({"POST", "/model", {}, {}});
    Server::Answer answer;
    Thread waiter("waiter", [&] { answer = call->wait(); });
    cancels ? call->cancel() : fixture.clock->advance(std::chrono::seconds(31));
    waiter.join();
    EXPECT_EQ(answer.status, cancels ? 499 : 504);
    fixture.model->gate.open();
  }
}

// Counts what it is told.
struct Told final : StreamListener {
  void moved() noexcept override { times.add(); }
  testing::Progress times;
};

TEST(PendingCall, who_watches_is_told_that_there_is_an_answer) {
  Fixture fixture;
  fixture.model->gate.close();
  const auto call = fixture.begin({"POST", "/model", {}, {}});
  const auto told = std::make_shared<Told>();
  call->watch(told);
  EXPECT_EQ(told->times.count(), 0);
  EXPECT_EQ(call->remaining(), std::chrono::seconds(30));
  fixture.clock->advance(std::chrono::seconds(29));
  EXPECT_EQ(call->remaining(), std::chrono::seconds(1));
  fixture.model->gate.open();
  told->times.wait_for(1);
  EXPECT_TRUE(call->done());
  EXPECT_EQ(call->remaining(), Duration::max());
  fixture.model->gate.close();
  const auto cancelled = fixture.begin({"POST", "/model", {}, {}});
  cancelled->watch(told);
  cancelled->cancel();
  told->times.wait_for(2);
  fixture.model->gate.open();
}

TEST(PendingCall, bodies_take_from_the_budget_until_they_are_answered) {
  Fixture fixture;
  fixture.model->gate.close();
  const std::string half(60'000, 'x');
  const auto first = fixture.begin({"POST", "/model", {}, half});
  EXPECT_EQ(fixture.bytes.held(), 60'000U);
  const auto refused = fixture.call({"POST", "/model", {}, half});
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(header(refused, "Retry-After"), "1");
  fixture.model->gate.open();
  EXPECT_EQ(first->wait().status, 200);
  EXPECT_EQ(fixture.bytes.held(), 0U);
}

TEST(PendingCall, dropping_it_is_a_client_that_leaves) {
  Fixture fixture;
  fixture.model->gate.close();
  const int before = fixture.model->started.count();
  auto running = fixture.begin({"POST", "/model", {}, {}});
  fixture.model->started.wait_for(before + 1);
  auto queued = fixture.begin({"POST", "/model", {}, {}});
  queued.reset();
  EXPECT_EQ(fixture.stats().queued.value(), 0);
  running.reset();
  EXPECT_EQ(fixture.state.withdrawals.of("m", 1)[0], 1U);
  EXPECT_EQ(fixture.state.withdrawals.of("m", 1)[1], 1U);
  EXPECT_EQ(fixture.state.in_flight.value(), 0);
  fixture.model->gate.open();
}

TEST(PendingCall, answer_that_is_there_stays_when_it_is_cancelled) {
  Fixture fixture;
  const auto call = fixture.begin({"POST", "/model", {}, {}});
  EXPECT_EQ(call->wait().body, "outputs: 1");
  call->cancel();
  EXPECT_EQ(call->wait().status, 200);
}

}  // namespace
}  // namespace maas
