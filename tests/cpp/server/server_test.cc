// SPDX-License-Identifier: Apache-2.0
#include "maas/server/server.h"

#include <memory>
#include <string>
#include <thread>

#include "../batching/fakes.h"
#include "socket_client.h"
#include <gtest/gtest.h>

#include "maas/exec/thread.h"

namespace maas {
namespace {

using namespace std::chrono_literals;
using testing::SocketClient;

constexpr std::string_view kInfer =
    R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2.5]}]})";

struct ServerTest : ::testing::Test {
  std::shared_ptr<testing::FakeModel> model = std::make_shared<testing::FakeModel>();
  Engine engine{{}, std::make_shared<SystemClock>(), [](const LogRecord&) {}};
  Server server{engine, {.port = 0}};

  void SetUp() override {
    Catalog catalog;
    catalog.models.push_back(engine.serve({"m"}, model, {}));
    server.publish(std::move(catalog));
  }
  void TearDown() override { model->gate.open(); }

  std::string publish_error(const std::string& path) {
    Catalog catalog;
    catalog.endpoints.resize(1);
    catalog.endpoints[0].path = path;
    try {
      server.publish(std::move(catalog));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
      return error.message();
    }
    return "";
  }
};

void post_infer(SocketClient& client) {
  client.send(
      "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(kInfer.size()) + "\r\n\r\n" + std::string(kInfer));
}

TEST_F(ServerTest, serves_a_model_over_a_socket) {
  server.start();
  SocketClient client(server.port());
  for (int i = 0; i < 20; ++i) {
    post_infer(client);
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(answer.body.find("\"data\":[2.0,5.0]"), std::string::npos) << answer.body;
  }
  client.get("/livez");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(ServerTest, serves_a_model_without_a_socket) {
  const auto answer = server.handle(
      {"POST", "/v2/models/m/infer", {{"Content-Type", "application/json"}}, std::string(kInfer)});
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_NE(answer.body.find("\"data\":[2.0,5.0]"), std::string::npos) << answer.body;
}

TEST_F(ServerTest, paths_of_its_own_cannot_be_published) {
  EXPECT_NE(publish_error("/livez").find("is the server's own"), std::string::npos);
  EXPECT_NE(publish_error("/v2/mine"), "");
}

TEST_F(ServerTest, port_in_use_is_an_error_that_says_so) {
  server.start();
  Server other(engine, {.port = server.port()});
  try {
    other.start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(error.message(), "port " + std::to_string(server.port()) +
                                   " on 127.0.0.1 is in use; choose another with --port");
  }
}

TEST_F(ServerTest, drain_answers_what_is_under_way) {
  server.start();
  model->gate.close();
  SocketClient busy(server.port());
  const int before = model->started.count();
  post_infer(busy);
  model->started.wait_for(before + 1);
  SocketClient idle(server.port());
  bool drained = false;
  {
    const Thread drainer("drainer", [&] { drained = server.drain(20s); });
    while (server.handle({"GET", "/readyz", {}, {}}).status != 503) {
      std::this_thread::yield();
    }
    EXPECT_EQ(idle.read_to_end(), "");  // closed once the I/O threads know of the drain too
    model->gate.open();
    const auto answer = busy.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Connection"), "close");
  }
  EXPECT_TRUE(drained);
  EXPECT_THROW(SocketClient{server.port()}, std::runtime_error);
}

TEST_F(ServerTest, drain_answers_503_at_its_limit_and_stop_does_not_wait_for_the_model) {
  server.start();
  model->gate.close();
  SocketClient probe(server.port());
  probe.get("/v2/health/ready");
  EXPECT_EQ(probe.read_answer().status, 200);
  SocketClient busy(server.port());
  const int before = model->started.count();
  post_infer(busy);
  model->started.wait_for(before + 1);
  bool drained = true;
  {
    const Thread drainer("drainer", [&] { drained = server.drain(1s); });
    while (server.handle({"GET", "/readyz", {}, {}}).status != 503) {
      std::this_thread::yield();
    }
    probe.get("/v2/health/ready");
    EXPECT_EQ(probe.read_answer().status, 503);
    const auto answer = busy.read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_EQ(busy.read_to_end(), "");
  }
  EXPECT_FALSE(drained);
  server.stop();
}

TEST_F(ServerTest, stops_twice_and_does_not_start_again) {
  server.start();
  EXPECT_THROW(server.start(), Error);
  server.stop();
  server.stop();
  EXPECT_TRUE(server.drain(1s));
  EXPECT_THROW(server.start(), Error);
}

TEST_F(ServerTest, catalogue_can_be_replaced_under_load) {
  server.start();
  const Thread publisher("publisher", [&] {
    for (int i = 0; i < 50; ++i) {
      Catalog catalog;
      catalog.models.push_back(engine.serve({"m"}, std::make_shared<testing::FakeModel>(), {}));
      server.publish(std::move(catalog));
    }
  });
  SocketClient client(server.port());
  for (int i = 0; i < 500; ++i) {
    post_infer(client);
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

TEST_F(ServerTest, what_was_served_before_expires_with_its_last_request) {
  model->gate.close();
  server.start();
  SocketClient client(server.port());
  const int running = model->started.count();
  post_infer(client);
  model->started.wait_for(running + 1);
  const std::weak_ptr<const void> before = server.publish({});
  EXPECT_FALSE(before.expired());
  EXPECT_TRUE(server.publish({}).expired());
  model->gate.open();
  EXPECT_EQ(client.read_answer().status, 200);
  while (!before.expired()) {
    std::this_thread::yield();  // the I/O thread lets go of it in a moment
  }
}

TEST_F(ServerTest, a_reason_makes_it_unready_until_it_is_taken_back) {
  server.set_unready("not yet");
  EXPECT_EQ(server.handle({"GET", "/readyz", {}, {}}).status, 503);
  server.set_unready("");
  EXPECT_EQ(server.handle({"GET", "/readyz", {}, {}}).status, 200);
}

}  // namespace
}  // namespace maas
