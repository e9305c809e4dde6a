// SPDX-License-Identifier: Apache-2.0
// The transport with a few routes of the test's own instead of the router.
#pragma once

#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../batching/fakes.h"
#include "socket_client.h"

#include "maas/batching/engine.h"
#include "maas/server/connection.h"
#include "maas/server/io_thread.h"
#include "maas/server/listener.h"
#include "maas/server/stream_format.h"

namespace maas::testing {

// /echo gives back the body, /target path and query, /big?N N bytes, /model what the fake model
// answers when it does.
class TestRoutes final : public Handler {
 public:
  explicit TestRoutes(std::shared_ptr<ServedModel> served) : served_(std::move(served)) {}

  void start(Exchange& exchange) const override {
    const HttpRequest& http = exchange.http;
    if (http.path == "/model") {
      exchange.request.inputs.push_back(Tensor::zeros(DType::kFloat32, {1, 1}));
      exchange.submit(served_, {timeout});
      return;
    }
    if (http.path == "/big") {
      std::size_t size = 0;
      std::from_chars(http.query.data(), http.query.data() + http.query.size(), size);
      exchange.response.body.assign(size, 'x');
    } else if (http.path == "/target") {
      exchange.response.body = std::string(http.path) + "|" + std::string(http.query);
    } else if (http.path == "/echo") {
      exchange.response.body = http.body;
    } else {
      throw Error(ErrorCode::kNotFound, "no such route");
    }
    exchange.respond();
  }
  void finish(Exchange& exchange, Reply reply) const override {
    if (reply.stream) {
      const auto format = choose_stream_format(exchange.http.headers);
      exchange.respond_with(std::move(reply.stream), format.value_or(StreamFormat::kEvents));
      return;
    }
    exchange.response.body = "outputs: " + std::to_string(reply.outputs.size());
    exchange.respond();
  }

  Duration timeout = std::chrono::seconds(30);

 private:
  const std::shared_ptr<ServedModel> served_;
};

class TestTransport {
 public:
  explicit TestTransport(ServerOptions wanted = {},
                         std::size_t io_threads = 1,
                         std::size_t max_held_bytes = Engine::kDefaultHeldBytes)
      : engine(
            {}, clock, [](const LogRecord&) {}, max_held_bytes),
        options(std::move(wanted)),
        gate(options.limits.connections, state.connections) {
    for (std::size_t i = 0; i < io_threads; ++i) {
      threads.push_back(std::make_unique<IoThread>(transport, "test-io"));
    }
    listener = std::make_unique<Listener>(*threads.front(), [this](FileDescriptor socket) {
      const auto entry = gate.enter();
      if (entry != ConnectionGate::Entry::kFull) {
        threads[turn_++ % threads.size()]->adopt(std::move(socket),
                                                 entry == ConnectionGate::Entry::kRefused);
      }
    });
    listener->open("127.0.0.1", 0);
    for (const auto& thread : threads) {
      thread->start();
    }
  }
  ~TestTransport() {
    model->gate.open();
    stop();
  }
  TestTransport(const TestTransport&) = delete;
  TestTransport& operator=(const TestTransport&) = delete;

  void stop() {
    if (!std::exchange(stopped_, true)) {
      listener->close();
      for (const auto& thread : threads) {
        thread->stop();
      }
    }
  }
  void drain() {
    listener->close();
    for (const auto& thread : threads) {
      thread->drain();
    }
  }
  SocketClient connect() { return SocketClient(listener->port()); }

  std::shared_ptr<FakeModel> model = std::make_shared<FakeModel>();
  std::shared_ptr<SystemClock> clock = std::make_shared<SystemClock>();
  Engine engine;
  std::shared_ptr<ServedModel> served = engine.serve({"m"}, model, {});
  TestRoutes routes{served};
  ServerOptions options;
  ServerState state;
  ConnectionGate gate;
  Transport transport{[this](Exchange& exchange) { exchange.begin(routes); },
                      state,
                      gate,
                      options,
                      *clock,
                      engine.bytes(),
                      engine.log(),
                      nullptr};
  std::vector<std::unique_ptr<IoThread>> threads;
  std::unique_ptr<Listener> listener;

 private:
  std::size_t turn_ = 0;
  bool stopped_ = false;
};

}  // namespace maas::testing
