// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "transport_fixture.h"
#include <gtest/gtest.h>

#include "maas/server/connection.h"  // IWYU pragma: keep

namespace maas {
namespace {

using namespace std::chrono_literals;
using testing::SocketClient;
using testing::TestTransport;

TEST(Connection, head_that_does_not_arrive_in_time_is_answered_with_408) {
  TestTransport server({.limits = {.header_time = 50ms}});
  SocketClient client = server.connect();
  client.send("GET /target HTTP/1.1\r\nHo");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, body_that_stalls_is_answered_with_408) {
  TestTransport server({.limits = {.body_grace = 50ms}});
  SocketClient client = server.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST(Connection, body_that_comes_too_slowly_is_answered_with_408_and_one_that_does_not_is_taken) {
  TestTransport server({.limits = {.body_rate = 1000, .body_grace = 100ms}});
  SocketClient slow = server.connect();
  slow.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
  while (slow.send("x")) {  // never still, yet below 100 bytes in 100 ms
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_NE(slow.read_to_end(), "the connection stayed open");
  SocketClient quick = server.connect();
  quick.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(30ms);
    quick.send(std::string(200, 'x'));
  }
  EXPECT_EQ(quick.read_answer().status, 200);
}

TEST(Connection, last_request_that_it_may_bring_is_answered_with_close) {
  TestTransport server({.limits = {.requests = 2}});
  SocketClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.get("/target");
  }
  EXPECT_EQ(client.read_answer().header("Connection"), "");
  EXPECT_EQ(client.read_answer().header("Connection"), "close");
  EXPECT_EQ(client.read_answer().status, 0);
}

TEST(Connection, request_cut_short_is_counted) {
  TestTransport server;
  for (const char* text :
       {"GET /tar", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\na"}) {
    const auto before = server.state.cut_short.value();
    SocketClient client = server.connect();
    client.send(text);
    client.end_output();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.state.cut_short.value(), before + 1);
  }
}

TEST(Connection, idle_connection_is_closed_without_a_word) {
  TestTransport server({.limits = {.idle = 50ms}});
  SocketClient fresh = server.connect();
  EXPECT_EQ(fresh.read_to_end(), "");
  SocketClient used = server.connect();
  used.get("/target");
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(Connection, client_that_does_not_read_is_cut_off) {
  TestTransport server({.limits = {.write_stall = 50ms}});
  SocketClient client = server.connect();
  client.get("/target");
  EXPECT_EQ(client.read_answer().status, 200);
  client.get("/big?50000000");
  EXPECT_TRUE(server.gate.wait_empty(*server.clock, Deadline::after(*server.clock, 20s)));
  EXPECT_LT(client.read_answer().body.size(), 50'000'000U);
}

}  // namespace
}  // namespace maas
