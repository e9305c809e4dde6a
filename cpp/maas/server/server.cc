// SPDX-License-Identifier: Apache-2.0
#include "maas/server/server.h"

#include <mutex>
#include <string>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/access_log.h"
#include "maas/server/catalog_check.h"
#include "maas/server/connection_gate.h"
#include "maas/server/io_thread.h"
#include "maas/server/listener.h"
#include "maas/server/pending_call.h"
#include "maas/server/router.h"
#include "maas/server/server_state.h"

namespace maas {
namespace {

// How long clients may take to receive that they were given up.
constexpr auto kLastAnswers = std::chrono::seconds(1);

std::unique_ptr<AccessLog> make_access_log(const ServerOptions& options, ServerState& state) {
  if (options.access_log.empty()) {
    return nullptr;
  }
  return std::make_unique<AccessLog>(
      options.access_log,
      options.access_log_json ? AccessLog::Format::kJson : AccessLog::Format::kText,
      state.access_dropped);
}

}  // namespace

struct Server::Impl {
  Impl(Engine& owner, ServerOptions wanted)
      : engine(owner),
        options(std::move(wanted)),
        gate(options.limits.connections, state.connections),
        router({options, state}),
        access(make_access_log(options, state)),
        transport{[this](Exchange& exchange) { router.dispatch(exchange); },
                  state,
                  gate,
                  options,
                  *engine.clock(),
                  engine.bytes(),
                  engine.log(),
                  access.get()} {}

  void take(FileDescriptor socket) {
    const ConnectionGate::Entry entry = gate.enter();
    if (entry != ConnectionGate::Entry::kFull) {
      threads[turn++ % threads.size()]->adopt(std::move(socket),
                                              entry == ConnectionGate::Entry::kRefused);
    }
  }

  Engine& engine;
  const ServerOptions options;
  ServerState state;
  ConnectionGate gate;
  Router router;
  const std::unique_ptr<AccessLog> access;
  const Transport transport;
  std::size_t turn = 0;  // of the I/O thread that accepts

  std::mutex mutex;
  std::vector<std::unique_ptr<IoThread>> threads;  // guarded by mutex once started
  std::unique_ptr<Listener> listener;              // guarded by mutex
  bool started = false;                            // guarded by mutex
  bool stopped = false;                            // guarded by mutex
};

Server::Server(Engine& engine, ServerOptions options)
    : impl_(std::make_unique<Impl>(engine, std::move(options))) {}

Server::~Server() {
  stop();
}

std::weak_ptr<const void> Server::publish(Catalog catalog) {
  check_catalog(catalog);
  return impl_->state.published.exchange(make_published(std::move(catalog)));
}

void Server::set_unready(std::string reason) {
  impl_->state.unready.with([&](std::string& current) { current = std::move(reason); });
}

void Server::start() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->started) {
    throw Error(ErrorCode::kInvalidArgument,
                "the server was started before; make another one to start again");
  }
  std::vector<std::unique_ptr<IoThread>> threads;
  threads.reserve(static_cast<std::size_t>(impl_->engine.budget().io_threads));
  for (int i = 0; i < impl_->engine.budget().io_threads; ++i) {
    threads.push_back(std::make_unique<IoThread>(impl_->transport, "maas-io-" + std::to_string(i)));
  }
  auto listener = std::make_unique<Listener>(
      *threads.front(),
      [impl = impl_.get()](FileDescriptor socket) { impl->take(std::move(socket)); });
  listener->open(impl_->options.host, impl_->options.port);
  impl_->state.port = listener->port();
  impl_->threads = std::move(threads);
  impl_->listener = std::move(listener);
  impl_->started = true;
  for (const auto& thread : impl_->threads) {
    thread->start();
  }
}

int Server::port() const {
  return impl_->state.port;
}

bool Server::drain(Duration timeout) {
  Clock& clock = *impl_->engine.clock();
  const Deadline deadline = Deadline::after(clock, timeout);
  impl_->state.ready = false;
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->started || impl_->stopped) {
      return true;
    }
    impl_->listener->close();
    for (const auto& thread : impl_->threads) {
      thread->drain();
    }
  }
  if (impl_->gate.wait_empty(clock, deadline)) {
    return true;
  }
  {
    const std::lock_guard lock(impl_->mutex);
    for (std::size_t i = 0; i < impl_->threads.size() && !impl_->stopped; ++i) {
      impl_->threads[i]->give_up();
    }
  }
  impl_->gate.wait_empty(clock, Deadline::after(clock, kLastAnswers));
  return false;
}

void Server::stop() {
  impl_->state.ready = false;
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->started || std::exchange(impl_->stopped, true)) {
    return;
  }
  impl_->listener->close();
  for (const auto& thread : impl_->threads) {
    thread->stop();
  }
  if (impl_->access != nullptr) {
    impl_->access->stop();
  }
}

std::shared_ptr<PendingCall> Server::begin(Call call) {
  auto pending = std::make_shared<PendingCall>(std::move(call), *impl_->engine.clock(),
                                               impl_->state, impl_->engine.bytes());
  pending->begin(impl_->transport.dispatch);
  return pending;
}

Server::Answer Server::handle(Call call) {
  const auto pending = begin(std::move(call));
  Answer answer = pending->wait();
  for (std::string more = pending->read(); !more.empty(); more = pending->read()) {
    answer.body += more;
  }
  return answer;
}

}  // namespace maas
