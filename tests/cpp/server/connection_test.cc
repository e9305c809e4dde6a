// SPDX-License-Identifier: Apache-2.0
#include "maas/server/connection.h"  // IWYU pragma: keep

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "transport_fixture.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

using namespace std::chrono_literals;
using testing::ClientAnswer;
using testing::SocketClient;
using testing::TestTransport;

TEST(Connection, answers_many_requests_on_one_connection) {
  TestTransport server;
  SocketClient client = server.connect();
  for (int i = 0; i < 50; ++i) {
    client.post("/echo", "body " + std::to_string(i));
    const ClientAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
    EXPECT_EQ(answer.header("X-Request-Id").size(), 16U);
    EXPECT_EQ(answer.header("Connection"), "");
  }
}

TEST(Connection, answers_pipelined_requests_in_order) {
  TestTransport server;
  SocketClient client = server.connect();
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string path = i % 7 == 3 ? "/model" : "/target?" + std::to_string(i);
    all += "GET " + path + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(client.read_answer().body,
              i % 7 == 3 ? "outputs: 1" : std::string("/target|") + std::to_string(i));
  }
}

TEST(Connection, request_that_comes_while_one_is_answered_is_served_next) {
  TestTransport server;
  server.model->gate.close();
  SocketClient client = server.connect();
  const int before = server.model->started.count();
  client.get("/model");
  server.model->started.wait_for(before + 1);
  client.get("/target?second");
  server.model->gate.open();
  EXPECT_EQ(client.read_answer().body, "outputs: 1");
  EXPECT_EQ(client.read_answer().body, "/target|second");
}

TEST(Connection, understands_requests_that_come_byte_by_byte) {
  TestTransport server;
  SocketClient client = server.connect();
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"
                                  "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
                                  "\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nTrailer: t\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(client.read_answer().body, "hello");
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST(Connection, receives_and_sends_large_bodies) {
  TestTransport server;
  SocketClient client = server.connect();
  std::string body(5'000'000, ' ');
  std::generate(body.begin(), body.end(),
                [i = 0]() mutable { return static_cast<char>(++i % 251); });
  client.post("/echo", body);
  EXPECT_EQ(client.read_answer().body, body);
  std::string chunks;
  for (std::size_t at = 0; at < body.size(); at += 500'000) {
    chunks += "7A120\r\n" + body.substr(at, 500'000) + "\r\n";
  }
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
              "0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, body);
  client.get("/target?still");
  EXPECT_EQ(client.read_answer().body, "/target|still");
}

TEST(Connection, closes_when_the_client_asks_for_it) {
  TestTransport server;
  SocketClient client = server.connect();
  client.send("GET /target HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  const ClientAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, http_1_0_closes_unless_asked_to_stay) {
  TestTransport server;
  SocketClient stays = server.connect();
  stays.send("GET /target HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(stays.read_answer().header("Connection"), "keep-alive");
  stays.send("GET /target HTTP/1.0\r\n\r\n");
  EXPECT_EQ(stays.read_answer().header("Connection"), "close");
  EXPECT_EQ(stays.read_to_end(), "");
}

TEST(Connection, head_has_the_length_of_get_and_no_body) {
  TestTransport server;
  SocketClient client = server.connect();
  client.send("HEAD /big?20000 HTTP/1.1\r\nHost: t\r\n\r\nGET /target HTTP/1.1\r\nHost: t\r\n\r\n");
  const ClientAnswer answer = client.read_answer(false);
  EXPECT_EQ(answer.header("Content-Length"), "20000");
  EXPECT_EQ(client.read_answer().body, "/target|");
}

TEST(Connection, tells_the_client_to_continue_only_when_it_wants_the_body) {
  TestTransport server({.limits = {.body = 100}});
  SocketClient client = server.connect();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n";
  client.send(head + "Content-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_answer(false).status, 100);
  client.send("hello");
  EXPECT_EQ(client.read_answer().body, "hello");
  client.send(head + "Content-Length: 101\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, refuses_too_much_and_closes) {
  TestTransport server({.limits = {.body = 1000}});
  const std::string big(20'000, 'a');
  const std::vector<std::pair<std::string, int>> cases = {
      {"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n", 413},
      {"GET /" + big.substr(0, 9000) + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
      {"GET /" + big, 414},
      {"GET / HTTP/1.1\r\nHost: t\r\nA: " + big + "\r\n\r\n", 431},
  };
  for (const auto& [request, status] : cases) {
    SocketClient client = server.connect();
    client.send(request);
    const ClientAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, status) << request.substr(0, 60);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_NE(answer.body.find("{\"error\":"), std::string::npos);
    client.end_output();
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST(Connection, answer_to_an_upload_that_is_refused_reaches_the_client) {
  TestTransport server({.limits = {.body = 1000}});
  SocketClient client = server.connect();
  client.post("/echo", std::string(3'000'000, 'x'));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST(Connection, nothing_behind_a_malformed_request_is_answered) {
  TestTransport server;
  SocketClient client = server.connect();
  const std::string good = "GET /target HTTP/1.1\r\nHost: t\r\n\r\n";
  client.send(good + "GET /target HTTP/1.1\r\nHost: t\r\nBad Field: x\r\n\r\n" + good);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 400);
  client.end_output();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, body_cut_off_by_the_client_is_not_served) {
  TestTransport server;
  SocketClient client = server.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  client.end_output();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(server.state.answers[2].value(), 0U);
}

// One request runs and waits at the gate.
struct Disconnects : ::testing::Test {
  TestTransport server;
  SocketClient first = server.connect();
  int before = 0;

  void SetUp() override {
    server.model->gate.close();
    before = server.model->started.count();
    first.get("/model");
    server.model->started.wait_for(before + 1);
  }
  void TearDown() override {
    server.model->gate.open();
    EXPECT_TRUE(server.engine.settle(20s));
    EXPECT_EQ(server.engine.bytes().held(), 0U);
  }

  ModelStats& stats() { return server.served->batcher().stats(); }
  std::uint64_t left_while_queued() { return server.state.withdrawals.of("m", 1)[0]; }
  std::uint64_t left_while_running() { return server.state.withdrawals.of("m", 1)[1]; }
  void queue(SocketClient& client, const std::string& version = "1.1") {
    const auto queued = stats().queued.value();
    client.send("GET /model HTTP/" + version + "\r\nHost: t\r\n\r\n");
    wait_for_queue(queued + 1);
  }
  void wait_for_queue(std::int64_t length) {
    while (stats().queued.value() != length) {
      std::this_thread::yield();
    }
  }
  // The I/O thread counts a client that left behind the job's end in the queue.
  void wait_until_counted() {
    while (left_while_queued() != 1) {
      std::this_thread::yield();
    }
  }
  void expect_first_is_answered() {
    server.model->gate.open();
    EXPECT_EQ(first.read_answer().body, "outputs: 1");
  }
};

TEST_F(Disconnects, queued_request_of_a_client_that_closed_leaves_the_queue_and_never_runs) {
  SocketClient leaver = server.connect();
  SocketClient stayer = server.connect();
  queue(leaver);
  queue(stayer);
  leaver.close();
  wait_for_queue(1);
  wait_until_counted();
  expect_first_is_answered();
  EXPECT_EQ(stayer.read_answer().body, "outputs: 1");
  server.stop();
  EXPECT_EQ(server.model->started.count(), before + 2);
}

TEST_F(Disconnects, queued_request_of_a_client_that_reset_leaves_the_queue_and_never_runs) {
  SocketClient leaver = server.connect();
  queue(leaver);
  leaver.reset();
  wait_for_queue(0);
  wait_until_counted();
  expect_first_is_answered();
  server.stop();
  EXPECT_EQ(server.model->started.count(), before + 1);
}

TEST_F(Disconnects, client_that_goes_while_its_request_runs_is_counted) {
  first.close();
  while (left_while_running() == 0) {
    std::this_thread::yield();
  }
  while (server.state.connections.value() > 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server.state.in_flight.value(), 0);
  EXPECT_EQ(left_while_queued(), 0U);
}

void wait_until_cancelled(const Batch& batch) {
  while (!batch.items.at(0).cancellation->cancelled()) {
    std::this_thread::yield();
  }
}

TEST(Connection, running_request_of_a_client_that_left_is_told_so) {
  for (const bool resets : {true, false}) {
    TestTransport server;
    testing::Progress running;
    testing::Progress told;
    server.model->behaviour = [&](const Batch& batch, BatchDone done) {
      running.add();
      wait_until_cancelled(batch);
      told.add();
      done(testing::FakeModel::twice(batch));
    };
    SocketClient client = server.connect();
    client.get("/model");
    running.wait_for(1);
    resets ? client.reset() : client.close();
    told.wait_for(1);
  }
}

TEST_F(Disconnects, client_that_only_ends_its_side_gets_its_answer_behind_an_interim_one) {
  SocketClient half = server.connect();
  queue(half);
  half.end_output();
  const ClientAnswer interim = half.read_answer();
  EXPECT_EQ(interim.status, 102);
  EXPECT_EQ(interim.head, "HTTP/1.1 102 Processing\r\n\r\n");
  expect_first_is_answered();
  EXPECT_EQ(half.read_answer().body, "outputs: 1");
  EXPECT_EQ(half.read_to_end(), "");
  EXPECT_EQ(left_while_queued() + left_while_running(), 0U);
}

TEST_F(Disconnects, pipelined_requests_of_a_client_that_ended_its_side_are_answered) {
  SocketClient half = server.connect();
  half.send("GET /target HTTP/1.1\r\nHost: t\r\n\r\n");
  queue(half);
  half.send("GET /target HTTP/1.1\r\nHost: t\r\n\r\n");
  half.end_output();
  EXPECT_EQ(half.read_answer().body, "/target|");
  expect_first_is_answered();
  EXPECT_EQ(half.read_answer().body, "outputs: 1");
  EXPECT_EQ(half.read_answer().body, "/target|");
  EXPECT_EQ(half.read_to_end(), "");
}

TEST_F(Disconnects, client_of_http_1_0_gets_no_interim_answer) {
  SocketClient half = server.connect();
  queue(half, "1.0");
  half.end_output();
  SocketClient probe = server.connect();
  queue(probe);
  probe.end_output();
  EXPECT_EQ(probe.read_answer().status, 102);  // which is when the other would have had one
  expect_first_is_answered();
  EXPECT_EQ(half.read_answer().status, 200);
}

TEST(Connection, answer_does_not_wait_for_the_clients_acknowledgement) {
  // Head and body in two small segments, without TCP_NODELAY, would take 40 ms each.
  TestTransport server;
  SocketClient client = server.connect();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    client.get("/big?9000");
    EXPECT_EQ(client.read_answer().body.size(), 9000U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1500ms);
}

std::string head_of_upload(std::size_t length) {
  return "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

TEST(HeldBytes, upload_that_does_not_fit_is_refused_before_it_is_read) {
  TestTransport server({}, 1, 1'000'000);
  SocketClient first = server.connect();
  first.send(head_of_upload(900'000) + "begin");
  while (server.engine.bytes().held() == 0) {
    std::this_thread::yield();
  }
  SocketClient second = server.connect();
  second.send(head_of_upload(200'000));
  const ClientAnswer answer = second.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_NE(answer.body.find("the server holds too many bytes"), std::string::npos);
  first.send(std::string(900'000 - 5, 'x'));
  EXPECT_EQ(first.read_answer().body.size(), 900'000U);
  SocketClient third = server.connect();
  third.send(head_of_upload(200'000) + std::string(200'000, 'x') + head_of_upload(3) + "abc");
  EXPECT_EQ(third.read_answer().body.size(), 200'000U);
  EXPECT_EQ(third.read_answer().body, "abc");
  EXPECT_EQ(server.engine.bytes().held(), 0U);
}

TEST(HeldBytes, are_given_back_when_a_client_dies_or_stalls) {
  TestTransport server({.limits = {.body_grace = 50ms}}, 1, 1'000'000);
  SocketClient dies = server.connect();
  dies.send(head_of_upload(800'000) + std::string(100'000, 'x'));
  while (server.engine.bytes().held() == 0) {
    std::this_thread::yield();
  }
  dies.reset();
  while (server.engine.bytes().held() != 0) {
    std::this_thread::yield();
  }
  SocketClient stalls = server.connect();
  stalls.send(head_of_upload(800'000) + "x");
  EXPECT_EQ(stalls.read_answer().status, 408);
  EXPECT_EQ(stalls.read_to_end(), "");
  while (server.engine.bytes().held() != 0) {
    std::this_thread::yield();
  }
}

TEST(HeldBytes, are_given_back_when_the_deadline_passes) {
  TestTransport server({}, 1, 1'000'000);
  server.routes.timeout = 30ms;
  server.model->gate.close();
  SocketClient client = server.connect();
  client.post("/model", std::string(500'000, 'x'));
  EXPECT_EQ(client.read_answer().status, 504);
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_LT(server.engine.bytes().held(), 500'000U);  // the running model's inputs are still held
  server.model->gate.open();
  EXPECT_TRUE(server.engine.settle(20s));
  EXPECT_EQ(server.engine.bytes().held(), 0U);
}

}  // namespace
}  // namespace maas
