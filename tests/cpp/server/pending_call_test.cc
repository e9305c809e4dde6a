// SPDX-License-Identifier: Apache-2.0
#include "maas/server/pending_call.h"

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
  TestRoutes routes{engine.serve({"m"}, model, {})};

  ServerState state;

  std::unique_ptr<PendingCall> begin(Server::Call call) {
    auto pending = std::make_unique<PendingCall>(std::move(call), *clock, state);
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

TEST(PendingCall, waits_for_the_model) {
  Fixture fixture;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(fixture.call({"POST", "/model", {}, {}}).body, "outputs: 1");
  }
}

TEST(PendingCall, expires_by_the_clock_it_was_given) {
  Fixture fixture;
  fixture.model->gate.close();
  const int before = fixture.model->started.count();
  Server::Answer answer;
  {
    const Thread caller("caller", [&] { answer = fixture.call({"POST", "/model", {}, {}}); });
    fixture.model->started.wait_for(before + 1);
    fixture.clock->advance(std::chrono::seconds(31));
  }
  EXPECT_EQ(answer.status, 504);
  fixture.model->gate.open();  // the job comes back to a call that nobody waits for
}

}  // namespace
}  // namespace maas
