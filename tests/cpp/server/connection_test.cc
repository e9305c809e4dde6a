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
  TestTransport server({.max_body_bytes = 100});
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
  TestTransport server({.max_body_bytes = 1000});
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
  TestTransport server({.max_body_bytes = 1000});
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

TEST(Connection, head_that_does_not_arrive_in_time_is_answered_with_408) {
  TestTransport server({.header_timeout = 50ms});
  SocketClient client = server.connect();
  client.send("GET /target HTTP/1.1\r\nHo");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, body_that_stalls_is_answered_with_408) {
  TestTransport server({.stall_timeout = 50ms});
  SocketClient client = server.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, idle_connection_is_closed_without_a_word) {
  TestTransport server({.idle_timeout = 50ms});
  SocketClient fresh = server.connect();
  EXPECT_EQ(fresh.read_to_end(), "");
  SocketClient used = server.connect();
  used.get("/target");
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(Connection, client_that_does_not_read_is_cut_off) {
  TestTransport server({.stall_timeout = 50ms});
  SocketClient client = server.connect();
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  client.get("/big?50000000");
  EXPECT_TRUE(server.gate.wait_empty(*server.clock, Deadline::after(*server.clock, 20s)));
  EXPECT_LT(client.read_answer().body.size(), 50'000'000U);
}

TEST(Connection, body_cut_off_by_the_client_is_not_served) {
  TestTransport server;
  SocketClient client = server.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  client.end_output();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(server.state.answers[2].value(), 0U);
}

TEST(Connection, client_that_only_ends_its_side_gets_its_answer) {
  TestTransport server;
  server.model->gate.close();
  SocketClient client = server.connect();
  const int before = server.model->started.count();
  client.get("/model");
  client.end_output();
  server.model->started.wait_for(before + 1);
  server.model->gate.open();
  EXPECT_EQ(client.read_answer().body, "outputs: 1");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, queued_request_of_a_client_that_left_is_never_run) {
  TestTransport server;
  server.model->gate.close();
  SocketClient first = server.connect();
  const int before = server.model->started.count();
  first.get("/model");
  server.model->started.wait_for(before + 1);
  SocketClient second = server.connect();
  second.get("/target");
  EXPECT_EQ(second.read_answer().status, 200);
  second.get("/model");
  while (server.served->batcher().stats().in_flight.value() < 2) {
    std::this_thread::yield();
  }
  second.reset();
  while (server.state.in_flight.value() > 1) {
    std::this_thread::yield();
  }
  server.model->gate.open();
  EXPECT_EQ(first.read_answer().body, "outputs: 1");
  server.stop();
  EXPECT_EQ(server.model->started.count(), before + 1);
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

}  // namespace
}  // namespace maas
