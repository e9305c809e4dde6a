// SPDX-License-Identifier: Apache-2.0
// Answers that are streams, over real sockets: connection.cc with outgoing_stream.cc and
// exchange.cc.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "transport_fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using namespace std::chrono_literals;
using testing::ClientAnswer;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Progress;
using testing::SocketClient;
using testing::TestTransport;
using Room = ItemStream::Room;

constexpr std::string_view kRequest = "GET /model HTTP/1.1\r\nHost: t\r\n\r\n";

struct Moves final : StreamListener {
  void moved() noexcept override { progress.add(); }
  Progress progress;
};

// Writes the item that often, waiting for room and counting the bytes, and ends the stream.
void write_all(ItemStream& stream,
               const std::string& item,
               std::size_t times,
               std::atomic<std::size_t>& written) {
  for (std::size_t i = 0; i < times; ++i) {
    if (stream.write(item) == Room::kFull && !stream.wait_for_room()) {
      return;
    }
    written += item.size();
  }
  stream.end();
}

// A server whose model answers each request with the stream that the test made for it.
class ConnectionStreams : public ::testing::Test {
 protected:
  void serve(ServerOptions options = {}) {
    server_.emplace(std::move(options));
    server_->model->behaviour = [this](const Batch& batch, BatchDone done) {
      BatchResult result = testing::FakeModel::twice(batch);
      result.streams = {items_};
      done_ = std::move(done);
      done_(std::move(result));
      begun_.add();
    };
  }
  void TearDown() override {
    items_->end();
    done_ = {};
  }
  // A client that has the head and the first item, "1".
  SocketClient begin(std::string_view request = kRequest) {
    SocketClient client = server_->connect();
    client.send(request);
    begun_.wait_for(1);
    items_->write("1");
    head_ = client.read_answer(false);
    return client;
  }
  void expect_closed() {
    const auto writer = std::make_shared<Moves>();
    items_->watch_writer(writer);
    writer->progress.wait_for(1);
    EXPECT_TRUE(items_->closed());
  }

  std::shared_ptr<ItemStream> items_ = std::make_shared<ItemStream>();
  BatchDone done_;
  Progress begun_;
  ClientAnswer head_;
  std::optional<TestTransport> server_;
};

TEST_F(ConnectionStreams, items_come_in_chunks_and_the_connection_serves_on) {
  serve();
  SocketClient client = begin();
  EXPECT_EQ(head_.status, 200);
  EXPECT_EQ(head_.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(head_.header("Content-Length"), "");
  EXPECT_EQ(head_.header("Content-Type"), "text/event-stream");
  EXPECT_EQ(head_.header("Cache-Control"), "no-cache");
  EXPECT_EQ(client.read_chunk(), "id: 0\ndata: 1\n\n");
  items_->write("2");
  EXPECT_EQ(client.read_chunk(), "id: 1\ndata: 2\n\n");
  items_->end();
  EXPECT_EQ(client.read_chunk(), "");
  client.get("/target?next");
  EXPECT_EQ(client.read_answer().body, "/target|next");
}

TEST_F(ConnectionStreams, a_request_behind_a_stream_is_answered_behind_it) {
  serve();
  SocketClient client =
      begin(std::string(kRequest) + "GET /target?behind HTTP/1.1\r\nHost: t\r\n\r\n");
  items_->end();
  EXPECT_EQ(client.read_chunk(), "id: 0\ndata: 1\n\n");
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_EQ(client.read_answer().body, "/target|behind");
}

TEST_F(ConnectionStreams, lines_for_who_accepts_lines) {
  serve();
  SocketClient client =
      begin("GET /model HTTP/1.1\r\nHost: t\r\nAccept: application/x-ndjson\r\n\r\n");
  EXPECT_EQ(head_.header("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(client.read_chunk(), "1\n");
}

TEST_F(ConnectionStreams, http_1_0_gets_no_chunks_and_the_end_of_the_connection) {
  serve();
  SocketClient client = begin("GET /model HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(head_.header("Transfer-Encoding"), "");
  EXPECT_EQ(head_.header("Connection"), "close");
  items_->write("2");
  items_->end();
  EXPECT_EQ(client.read_to_end(), "id: 0\ndata: 1\n\nid: 1\ndata: 2\n\n");
}

TEST_F(ConnectionStreams, head_has_the_head_alone_and_the_writer_learns_that_nobody_reads) {
  serve();
  SocketClient client = begin("HEAD /model HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(head_.header("Transfer-Encoding"), "chunked");
  expect_closed();
  client.get("/target?next");
  EXPECT_EQ(client.read_answer().body, "/target|next");
}

TEST_F(ConnectionStreams, a_failure_before_the_first_item_has_its_own_status) {
  serve();
  SocketClient client = server_->connect();
  client.send(kRequest);
  begun_.wait_for(1);
  items_->end(Error(ErrorCode::kInvalidArgument, "short and stout").with_http_status(418));
  const ClientAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 418);
  EXPECT_THAT(answer.body, HasSubstr("short and stout"));
  client.get("/target?next");
  EXPECT_EQ(client.read_answer().body, "/target|next");
}

TEST_F(ConnectionStreams, a_failure_midway_is_an_event_and_an_end_before_the_time) {
  serve();
  SocketClient client = begin();
  items_->write("2");
  items_->end(Error(ErrorCode::kUnavailable, "no luck"));
  const std::string rest = client.read_to_end();
  EXPECT_THAT(rest, HasSubstr("id: 1\ndata: 2\n\n"));
  EXPECT_THAT(rest, HasSubstr("event: error\ndata: {\"error\":\"no luck\",\"status\":503,"));
  EXPECT_THAT(rest, HasSubstr("\"request_id\":\"" + head_.header("X-Request-Id")));
  EXPECT_THAT(rest, Not(EndsWith("0\r\n\r\n")));
}

TEST_F(ConnectionStreams, a_stream_without_items_is_an_empty_answer) {
  serve();
  SocketClient client = server_->connect();
  client.send(kRequest);
  begun_.wait_for(1);
  items_->end();
  EXPECT_EQ(client.read_answer(false).status, 200);
  EXPECT_EQ(client.read_chunk(), "");
}

TEST_F(ConnectionStreams, no_first_item_in_time_is_504) {
  serve();
  server_->routes.timeout = 30ms;
  SocketClient client = server_->connect();
  client.send(kRequest);
  EXPECT_EQ(client.read_answer().status, 504);
  begun_.wait_for(1);
  expect_closed();
}

TEST_F(ConnectionStreams, no_further_item_in_time_ends_the_stream_with_an_error) {
  serve();
  server_->routes.timeout = 100ms;
  SocketClient client = begin();
  EXPECT_THAT(client.read_to_end(), HasSubstr("\"status\":504"));
  expect_closed();
}

TEST_F(ConnectionStreams, a_client_that_leaves_closes_the_stream) {
  for (const bool resets : {false, true}) {
    SCOPED_TRACE(resets);
    items_ = std::make_shared<ItemStream>();
    serve();
    SocketClient client = begin();
    resets ? client.reset() : client.close();
    expect_closed();
    done_ = {};
    server_.reset();
    begun_.wait_for(1);
  }
}

TEST_F(ConnectionStreams, a_client_that_has_only_ended_its_side_still_reads) {
  for (const auto* accept : {"text/event-stream", "application/x-ndjson"}) {
    SCOPED_TRACE(accept);
    items_ = std::make_shared<ItemStream>();
    serve();
    SocketClient client =
        begin("GET /model HTTP/1.1\r\nHost: t\r\nAccept: " + std::string(accept) + "\r\n\r\n");
    client.end_output();
    client.read_chunk();  // the first item
    client.read_chunk();  // what it was asked for a sign with
    items_->write("\"still here\"");
    items_->end();
    EXPECT_THAT(client.read_to_end(), HasSubstr("\"still here\""));
    EXPECT_FALSE(items_->closed() && items_->full());
    done_ = {};
  }
}

TEST_F(ConnectionStreams, a_slow_reader_holds_the_writer_up_instead_of_filling_memory) {
  serve();
  SocketClient client = begin("GET /model HTTP/1.0\r\n\r\n");
  constexpr std::size_t kItem = std::size_t{32} << 10U;
  constexpr std::size_t kItems = 2000;  // 64 MB
  std::atomic<std::size_t> written{0};
  const std::jthread writer([&] { write_all(*items_, std::string(kItem, 'x'), kItems, written); });
  std::size_t received = 0;
  std::size_t most_ahead = 0;
  for (std::size_t n = 1; n > 0; received += n) {
    n = client.read_some().size();
    const std::size_t ahead = written - std::min<std::size_t>(written, received);
    most_ahead = std::max(most_ahead, ahead);
  }
  EXPECT_GT(received, kItem * kItems);
  EXPECT_LT(most_ahead, std::size_t{24} << 20U);  // mostly what the system's buffers hold
}

TEST_F(ConnectionStreams, a_reader_that_takes_nothing_is_given_up) {
  ServerOptions options;
  options.stall_timeout = 50ms;
  serve(std::move(options));
  SocketClient client = begin();
  const std::string item(std::size_t{64} << 10U, 'x');
  while (items_->write(item) != Room::kGone && items_->wait_for_room()) {
  }
  EXPECT_TRUE(items_->closed());
}

TEST_F(ConnectionStreams, a_stream_is_in_flight_until_it_ends) {
  serve();
  SocketClient client = begin();
  EXPECT_EQ(server_->state.in_flight.value(), 1);
  EXPECT_EQ(server_->served->batcher().stats().in_flight.value(), 1);
  items_->end();
  client.read_chunk();
  client.read_chunk();
  done_ = {};
  client.get("/target");  // the I/O thread has gone on
  client.read_answer();
  EXPECT_EQ(server_->state.in_flight.value(), 0);
  EXPECT_EQ(server_->served->batcher().stats().in_flight.value(), 0);
  EXPECT_EQ(server_->served->batcher().stats().streams.value(), 1U);
  EXPECT_EQ(server_->served->batcher().stats().stream_items.value(), 1U);
}

TEST_F(ConnectionStreams, a_draining_server_lets_it_end_and_then_closes) {
  serve();
  SocketClient client = begin();
  server_->drain();
  items_->write("2");
  items_->end();
  EXPECT_THAT(client.read_to_end(), EndsWith("0\r\n\r\n"));
}

TEST_F(ConnectionStreams, at_the_end_of_a_drain_it_is_told_and_cut_off) {
  serve();
  SocketClient client = begin();
  server_->drain();
  server_->threads.front()->give_up();
  const std::string rest = client.read_to_end();
  EXPECT_THAT(rest, HasSubstr("the server shut down before the stream ended"));
  EXPECT_THAT(rest, Not(EndsWith("0\r\n\r\n")));
  expect_closed();
}

TEST_F(ConnectionStreams, a_server_that_stops_closes_it) {
  serve();
  SocketClient client = begin();
  server_->stop();
  expect_closed();
}

}  // namespace
}  // namespace maas
