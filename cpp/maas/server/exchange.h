// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/batching/job.h"
#include "maas/batching/served_model.h"
#include "maas/server/http.h"
#include "maas/server/mailbox.h"
#include "maas/server/trace_context.h"
#include "maas/server/urgency.h"
#include "maas/server/withdrawals.h"

namespace maas {

class Exchange;
struct Catalog;
struct EndpointSpec;
struct MountSpec;
struct Published;

// Who serves the client of an exchange, on the thread on which both live: a connection on its I/O
// thread, or the caller of Server::begin().
class ExchangeHost {
 public:
  // A job was accepted: it will come back through the mailbox. The host calls exchange.expire() if
  // the request's deadline comes before the exchange is answered.
  virtual void watch(Exchange& exchange) noexcept = 0;
  // The exchange takes its job back from `served` before it was answered.
  virtual void withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept = 0;
  // The job has come back. The last thing that deliver() does.
  virtual void delivered() noexcept = 0;

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
  // All the items of a stream, for which it called exchange.gather().
  virtual void gathered(Exchange& exchange, const std::vector<std::string>& items) const;
  // The body of a failed request, in the form its clients expect. The default is
  // {"error": "...", "request_id": "..."}, which is also the protocol's.
  virtual void write_error(const Exchange& exchange, const Error& error, std::string& body) const;
};

// One request and its answer, from the last byte read to the first byte written. Lives on its
// host's thread; only complete() is called from others. Its host owns it, uses it again for the
// next request when no job of it is out, and detaches itself from it when it will not wait for one.
class Exchange final : public Job,
                       public StreamListener,
                       public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(ExchangeHost& host, std::shared_ptr<Mailbox> mailbox)
      : host_(&host), mailbox_(std::move(mailbox)) {}

  HttpRequest http;
  HttpResponse response;
  std::shared_ptr<const Catalog> catalog;  // what was published when the request came
  const Published* published = nullptr;    // the same with its tables
  // What the path names, if it does: set by the router, kept alive by `catalog`.
  const std::shared_ptr<ServedModel>* model = nullptr;
  const EndpointSpec* endpoint = nullptr;
  const MountSpec* mount = nullptr;
  std::unique_ptr<Handler::State> state;
  std::string_view cors;  // fields of the answer for the page that asked; kept by the router
  TraceContext trace;
  TimePoint arrived;

  // Makes it ready for the next request, and lets go of all that the last one held: a batcher may
  // keep the object for a moment after complete(), and must not be the last to hold a catalogue.
  // REQUIRES: !is_out()
  void reset();
  // Begins: the handler is called. (The router sets catalog and picks the handler.)
  void begin(const Handler& handler);

  // Answers with `response` as it stands.
  void respond() noexcept { answered_ = true; }
  // Answers with `response` and these items as its body, once the first of them is there; when they
  // fail before, with that error.
  void respond_with(std::shared_ptr<ItemStream> items, StreamFormat format);
  // Waits for all the items, and gives them to the handler; when they fail, with that error.
  void gather(std::shared_ptr<ItemStream> items);
  void fail(const Error& error);
  // Throws what submit() would answer whatever the request holds: before its body is read.
  static void require_admission(const ServedModel& served);
  // Hands request.inputs to the model, which `catalog` keeps alive; a refusal becomes fail().
  // The timeout counts from `arrived`.
  void submit(const std::shared_ptr<ServedModel>& served, const Urgency& urgency);

  // From any thread, by the batcher and the writer of a stream: the exchange goes into its mailbox.
  void complete(Result<Reply> result) noexcept override;
  void moved() noexcept override;
  // By the host's thread, on what it finds in the mailbox: the handler writes the answer, or there
  // is news of the stream.
  void deliver(TimePoint now) noexcept;
  // By the host. The job, if it is out, is taken back, and its answer will be dropped; a stream is
  // closed.
  void expire() noexcept;     // answers that it took too long
  void shut_down() noexcept;  // answers that the server is going away
  void leave() noexcept;      // answers nothing: the client has gone
  // The host goes away, or on to other requests; a job that is out will come back to nobody. No
  // wake-up for the job may still be kept back.
  void detach() noexcept;

  [[nodiscard]] bool is_answered() const noexcept { return answered_; }
  // A job was accepted and has not been delivered.
  [[nodiscard]] bool is_out() const noexcept { return out_; }
  // Gives bytes that have come to a model that takes them while it answers.
  void receive(std::string_view bytes);
  // Whether it takes more now; if not, the host will be told.
  [[nodiscard]] bool takes_more() const;
  // The client sends no more.
  void end_input() noexcept;
  // Others may still post it: it is not to be used again.
  [[nodiscard]] bool is_shared() const noexcept { return out_ || streamed_; }

 private:
  void release() noexcept;
  void take(Result<Reply>& result, TimePoint now) noexcept;
  void listen_to(std::shared_ptr<ItemStream> items);
  void look_for_items() noexcept;
  void look_for_first_item() noexcept;
  void look_for_all_items();
  void withdraw(Withdrawal::Reason reason, const Error& why) noexcept;

  ExchangeHost* host_;  // null when it is detached
  const std::shared_ptr<Mailbox> mailbox_;
  const Handler* handler_ = nullptr;
  ServedModel* served_ = nullptr;        // that has the job, while it is out; kept by `catalog`
  std::optional<Result<Reply>> result_;  // written by complete(), read after post() while out_
  Duration timeout_ = Duration::max();
  bool answered_ = false;
  bool out_ = false;
  bool streamed_ = false;   // the writer of a stream may know it
  bool gathering_ = false;  // the items of response.stream, until there are no more
  std::vector<std::string> gathered_;
  std::size_t gathered_bytes_ = 0;
};

}  // namespace maas
