// SPDX-License-Identifier: Apache-2.0
#include "maas/server/io_thread.h"  // IWYU pragma: keep

#include <chrono>
#include <string>
#include <vector>

#include "transport_fixture.h"
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace maas {
namespace {

using namespace std::chrono_literals;
using testing::ClientAnswer;
using testing::SocketClient;
using testing::TestTransport;

TEST(IoThread, request_that_takes_too_long_is_answered_with_504) {
  TestTransport server;
  server.routes.timeout = 50ms;
  server.model->gate.close();
  SocketClient client = server.connect();
  client.get("/model");
  const ClientAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 504);
  EXPECT_NE(answer.body.find(answer.header("X-Request-Id")), std::string::npos);
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  server.model->gate.open();
  server.routes.timeout = 30s;
  client.get("/model");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST(IoThread, serves_many_clients_on_several_threads) {
  TestTransport server({}, 3);
  std::vector<SocketClient> clients;
  clients.reserve(30);
  for (int i = 0; i < 30; ++i) {
    clients.push_back(server.connect());
  }
  for (int round = 0; round < 20; ++round) {
    for (SocketClient& client : clients) {
      client.get("/model");
    }
    for (SocketClient& client : clients) {
      EXPECT_EQ(client.read_answer().body, "outputs: 1");
    }
  }
  EXPECT_EQ(server.state.answers[2].value(), 600U);
  EXPECT_EQ(server.state.connections.value(), 30);
}

TEST(IoThread, too_many_connections_are_told_so) {
  TestTransport server({.limits = {.connections = 1}});
  SocketClient first = server.connect();
  first.get("/target");
  EXPECT_EQ(first.read_answer().status, 200);
  SocketClient second = server.connect();
  const ClientAnswer answer = second.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_EQ(answer.header("Connection"), "close");
  first.get("/target");
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST(IoThread, drain_answers_what_is_under_way_and_closes_what_is_idle) {
  TestTransport server({}, 2);
  server.model->gate.close();
  SocketClient busy = server.connect();
  const int before = server.model->started.count();
  busy.get("/model");
  server.model->started.wait_for(before + 1);
  SocketClient idle = server.connect();
  idle.get("/target");
  EXPECT_EQ(idle.read_answer().status, 200);
  SocketClient asks = server.connect();
  asks.get("/target");
  EXPECT_EQ(asks.read_answer().status, 200);
  server.drain();
  asks.get("/target");
  EXPECT_EQ(asks.read_answer().header("Connection"), "close");
  EXPECT_EQ(asks.read_to_end(), "");
  EXPECT_FALSE(server.gate.wait_empty(*server.clock, Deadline::after(*server.clock, 10ms)));
  server.model->gate.open();
  const ClientAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "outputs: 1");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(busy.read_to_end(), "");
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_TRUE(server.gate.wait_empty(*server.clock, Deadline::after(*server.clock, 20s)));
  EXPECT_THROW(server.connect(), std::runtime_error);
}

TEST(IoThread, drain_serves_a_request_that_is_still_arriving) {
  TestTransport server;
  SocketClient client = server.connect();
  client.get("/target");
  client.read_answer();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhel");
  SocketClient other = server.connect();
  other.get("/target");  // once it is answered the server has seen the bytes above
  other.read_answer();
  server.drain();
  client.send("lo");
  const ClientAnswer answer = client.read_answer();
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST(IoThread, giving_up_answers_what_is_left_and_closes_it) {
  TestTransport server;
  server.model->gate.close();
  SocketClient running = server.connect();
  const int before = server.model->started.count();
  running.get("/model");
  server.model->started.wait_for(before + 1);
  SocketClient queued = server.connect();
  queued.get("/model");
  SocketClient arriving = server.connect();
  arriving.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhel");
  SocketClient idle = server.connect();
  idle.get("/target");
  idle.read_answer();
  while (server.served->batcher().stats().in_flight.value() < 2) {
    std::this_thread::yield();
  }
  server.drain();
  for (const auto& thread : server.threads) {
    thread->give_up();
  }
  for (SocketClient* client : {&running, &queued, &arriving}) {
    const ClientAnswer answer = client->read_answer();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("Connection"), "close");
  }
  EXPECT_EQ(running.read_to_end(), "");
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(server.served->batcher().stats().queued.value(), 0);
  const auto counts = server.state.withdrawals.of("m", 1);
  EXPECT_EQ(counts[4] + counts[5], 2U);
}

TEST(IoThread, stop_closes_connections_while_models_run) {
  TestTransport server;
  server.model->gate.close();
  SocketClient client = server.connect();
  const int before = server.model->started.count();
  client.get("/model");
  server.model->started.wait_for(before + 1);
  SocketClient idle = server.connect();
  idle.get("/target");
  idle.read_answer();
  server.stop();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(server.state.in_flight.value(), 0);
  EXPECT_EQ(server.state.connections.value(), 0);
}

TEST(IoThread, uses_no_processor_time_while_nothing_happens) {
  TestTransport server;
  SocketClient client = server.connect();
  client.get("/target");
  client.read_answer();
  const auto cpu = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw + usage.ru_nivcsw;
  };
  const auto before = cpu();
  // The wait of a client that gets nothing, on a clock of its own.
  EXPECT_FALSE(server.gate.wait_empty(*server.clock, Deadline::after(*server.clock, 100ms)));
  EXPECT_LT(cpu() - before, 20);
}

TEST(IoThread, answers_carry_the_date) {
  TestTransport server;
  SocketClient client = server.connect();
  client.get("/target");
  EXPECT_TRUE(client.read_answer().header("Date").ends_with(" GMT"));
}

}  // namespace
}  // namespace maas
