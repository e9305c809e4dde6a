// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "maas/batching/job.h"
#include "maas/batching/served_model.h"
#include "maas/server/http.h"
#include "maas/server/urgency.h"

namespace maas {

class Exchange;
struct Catalog;
struct EndpointSpec;

// The thread on which exchanges live: an I/O thread, or the caller of Server::handle().
class ExchangeHost {
 public:
  // Called from any thread when the model has answered; the host calls exchange->deliver() on its
  // own thread, also when the exchange has expired meanwhile. The last thing that complete() does.
  virtual void post(std::shared_ptr<Exchange> exchange) noexcept = 0;
  // Called on the host's own thread, once per exchange, when exchange->response is complete.
  virtual void answered(Exchange& exchange) noexcept = 0;
  // Called on the host's own thread after a job was accepted: post() follows, exactly once. The
  // host calls exchange.expire() if the job's deadline comes before the exchange is answered.
  virtual void watch(Exchange& exchange) noexcept = 0;

 protected:
  ~ExchangeHost() = default;
};

// Turns requests of one route into answers. Stateless: one object serves all threads.
class Handler {
 public:
  // What a handler keeps between start() and finish().
  struct State {
    virtual ~State() = default;
  };
  virtual ~Handler() = default;
  // Either answers at once (exchange.respond or exchange.fail) or submits one job. What it throws
  // becomes exchange.fail.
  virtual void start(Exchange& exchange) const = 0;
  // The model's reply; writes exchange.response and calls respond(). What it throws fails.
  virtual void finish(Exchange& exchange, Reply reply) const;
  // The body of a failed request, in the form its clients expect. The default is
  // {"error": "...", "request_id": "..."}, which is also the protocol's.
  virtual void write_error(const Exchange& exchange, const Error& error, std::string& body) const;
};

// One request and its answer, from the last byte read to the first byte written. Lives on its
// host's thread; only complete() is called from others. Its connection owns it and uses it again
// for the next request when no job of it is out.
class Exchange final : public Job, public std::enable_shared_from_this<Exchange> {
 public:
  explicit Exchange(ExchangeHost& host) : host_(host) {}

  HttpRequest http;
  HttpResponse response;
  std::shared_ptr<const Catalog> catalog;  // what was published when the request came
  // What the path names, if it does: set by the router, kept alive by `catalog`.
  const std::shared_ptr<ServedModel>* model = nullptr;
  const EndpointSpec* endpoint = nullptr;
  std::unique_ptr<Handler::State> state;
  TimePoint arrived;

  // Makes it ready for the next request, and lets go of all that the last one held: a batcher may
  // keep the object for a moment after complete(), and must not be the last to hold a catalogue.
  // REQUIRES: !is_out()
  void reset();
  // Begins: the handler is called. (The router sets catalog and picks the handler.)
  void begin(const Handler& handler);

  // Answers with `response` as it stands.
  void respond();
  void fail(const Error& error);
  // Hands request.inputs to the model, which `catalog` keeps alive; a refusal becomes fail().
  // The timeout counts from `arrived`.
  void submit(const std::shared_ptr<ServedModel>& served, const Urgency& urgency);

  // From any thread, by the batcher.
  void complete(Result<Reply> result) noexcept override;
  // By the host, on its thread.
  void deliver() noexcept;
  void expire() noexcept;

  [[nodiscard]] bool is_answered() const noexcept { return answered_; }
  // A job was accepted and has not been delivered.
  [[nodiscard]] bool is_out() const noexcept { return out_; }

 private:
  ExchangeHost& host_;
  const Handler* handler_ = nullptr;
  std::optional<Result<Reply>> result_;  // written by complete(), read after post()
  bool answered_ = false;
  bool out_ = false;
};

}  // namespace maas
