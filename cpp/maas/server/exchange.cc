// SPDX-License-Identifier: Apache-2.0
#include "maas/server/exchange.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/http_status.h"
#include "maas/server/json_writer.h"
#include "maas/server/stream_format.h"

namespace maas {
namespace {

void write_default_error(std::string_view message, std::string_view request_id, std::string& body) {
  body += "{\"error\":";
  append_json_string(body, message);
  body += ",\"request_id\":";
  append_json_string(body, request_id);
  body += '}';
}

constexpr std::size_t kMostGathered = std::size_t{16} << 20U;  // bytes

// In whole seconds, as the field has it.
std::string retry_after(const Error& error) {
  const auto wait = std::chrono::ceil<std::chrono::seconds>(error.retry_after());
  return "Retry-After: " + std::to_string(std::max<std::int64_t>(wait.count(), 1)) + "\r\n";
}

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): handlers that have a use for it move it
void Handler::finish(Exchange& exchange, Reply) const {
  exchange.fail(Error(ErrorCode::kInternal, "the route has no use for a model's answer"));
}

void Handler::gathered(Exchange& exchange, const std::vector<std::string>&) const {
  exchange.fail(Error(ErrorCode::kInternal, "the route has no use for a stream"));
}

void Handler::write_error(const Exchange& exchange, const Error& error, std::string& body) const {
  write_default_error(error.message(), exchange.request.id.text(), body);
}

void Exchange::reset() {
  release();
  response.clear();
  request.id = {};
  request.deadline = {};
  request.priority = kDefaultPriority;
  request.rows = 1;
  request.inputs.clear();
  request.origin.reset();
  result_.reset();
  answered_ = false;
  renew();
}

// What only the host and the handler need.
void Exchange::release() noexcept {
  http = {};
  cors = {};
  trace = {};
  catalog.reset();
  published = nullptr;
  model = nullptr;
  endpoint = nullptr;
  mount = nullptr;
  state.reset();
  gathering_ = false;
  gathered_.clear();
  if (request.inbound) {
    request.inbound->end();
    request.inbound->watch_writer(nullptr);
    request.inbound.reset();
  }
  handler_ = nullptr;
  served_ = nullptr;
}

void Exchange::begin(const Handler& handler) {
  handler_ = &handler;
  try {
    handler.start(*this);
  } catch (...) {
    fail(current_error());
  }
}

void Exchange::fail(const Error& error) {
  if (answered_) {
    return;
  }
  if (response.stream) {
    response.stream.items->close();
  }
  response.clear();
  response.status = http_status(error);
  if (response.status == 503 &&
      (error.code() == ErrorCode::kOverloaded || error.retry_after().count() > 0)) {
    response.headers = retry_after(error);
  }
  if (handler_ != nullptr) {
    handler_->write_error(*this, error, response.body);
  } else {
    write_default_error(error.message(), request.id.text(), response.body);
  }
  respond();
}

void Exchange::respond_with(std::shared_ptr<ItemStream> items, StreamFormat format) {
  if (format != StreamFormat::kBytes) {
    response.content_type = media_type(format);
    response.headers += stream_headers(format);
  }
  response.stream.format = format;
  response.stream.patience = timeout_;
  response.stream.stats = served_ != nullptr ? &served_->batcher().stats() : nullptr;
  response.stream.upgraded = response.status == 101 && request.inbound != nullptr;
  listen_to(std::move(items));
  if (response.stream.upgraded) {
    request.inbound->watch_writer(shared_from_this());
  }
  if (format == StreamFormat::kBytes) {
    respond();  // its head has been decided
  } else {
    look_for_first_item();
  }
}

void Exchange::gather(std::shared_ptr<ItemStream> items) {
  gathering_ = true;
  gathered_bytes_ = 0;
  listen_to(std::move(items));
  look_for_items();
}

void Exchange::listen_to(std::shared_ptr<ItemStream> items) {
  response.stream.items = std::move(items);
  streamed_ = true;
  response.stream.items->watch_reader(weak_from_this());
}

void Exchange::receive(std::string_view bytes) {
  if (request.inbound && !bytes.empty()) {
    request.inbound->write(bytes);
  }
}

bool Exchange::takes_more() const {
  return !request.inbound || !request.inbound->full();
}

void Exchange::end_input() noexcept {
  if (request.inbound) {
    request.inbound->end();
  }
}

void Exchange::look_for_items() noexcept {
  if (!gathering_) {
    return look_for_first_item();
  }
  try {
    look_for_all_items();
  } catch (...) {
    fail(current_error());
  }
}

void Exchange::look_for_all_items() {
  ItemStream::Burst burst;
  if (!response.stream.items->take(burst)) {
    return;
  }
  std::size_t from = 0;
  for (const std::size_t end : burst.ends) {
    gathered_.emplace_back(burst.bytes, from, end - from);
    from = end;
  }
  gathered_bytes_ += burst.bytes.size();
  if (gathered_bytes_ > kMostGathered) {
    throw Error(ErrorCode::kInternal, "the stream is too long to be one answer");
  }
  if (burst.failure) {
    throw Error(*burst.failure);
  }
  if (burst.over) {
    response.stream = {};
    handler_->gathered(*this, gathered_);
  }
}

void Exchange::look_for_first_item() noexcept {
  switch (response.stream.items->news()) {
    case ItemStream::News::kNone: return;
    case ItemStream::News::kItems: return respond();
    case ItemStream::News::kFailed: break;
  }
  ItemStream::Burst burst;
  response.stream.items->take(burst);
  fail(burst.failure.value_or(Error(ErrorCode::kInternal, "the stream failed")));
}

void Exchange::require_admission(const ServedModel& served) {
  if (const Status status = served.batcher().admits(); !status) {
    throw Error(status.error());
  }
}

void Exchange::submit(const std::shared_ptr<ServedModel>& served, const Urgency& urgency) {
  timeout_ = urgency.timeout;
  request.deadline = Deadline::from(arrived, timeout_);
  request.priority = urgency.priority != 0 ? urgency.priority : kDefaultPriority;
  const Status status = served->batcher().submit(shared_from_this());
  if (!status) {
    fail(status.error());
    return;
  }
  out_ = true;
  served_ = served.get();
  host_->watch(*this);
}

// NOLINTNEXTLINE(bugprone-exception-escape): its host and the batcher share it, so this is shared
void Exchange::complete(Result<Reply> result) noexcept {
  result_.emplace(std::move(result));
  mailbox_->post(shared_from_this());
}

// NOLINTNEXTLINE(bugprone-exception-escape): whoever listens to a stream is shared
void Exchange::moved() noexcept {
  mailbox_->post(shared_from_this());
}

void Exchange::deliver(TimePoint now) noexcept {
  const bool answered_by_job = std::exchange(out_, false);
  if (host_ == nullptr) {
    return answered_by_job ? reset() : void();
  }
  if (answered_by_job) {
    std::optional<Result<Reply>> result = std::exchange(result_, std::nullopt);
    if (!answered_ && !cancelled() && result) {
      take(*result, now);
    }
  } else if (!answered_ && response.stream) {
    look_for_items();
  }
  host_->delivered();
}

void Exchange::take(Result<Reply>& result, TimePoint now) noexcept {
  try {
    if (result) {
      handler_->finish(*this, *std::move(result));
      return;
    }
    if (result.error().code() == ErrorCode::kDeadlineExceeded && request.deadline.expired(now)) {
      // The batcher saw it before the host's timer, which it can do only in the queue.
      host_->withdrawn(*served_, {Withdrawal::Reason::kDeadline, true});
    }
    fail(result.error());
  } catch (...) {
    fail(current_error());
  }
}

void Exchange::withdraw(Withdrawal::Reason reason, const Error& why) noexcept {
  if (out_ && !cancelled()) {
    const bool queued = served_->batcher().cancel(*this, why);
    host_->withdrawn(*served_, {reason, queued});
  } else if (response.stream && response.stream.items->close()) {
    cancel();
    host_->withdrawn(*served_, {reason, false});
  }
}

void Exchange::expire() noexcept {
  const Error error(ErrorCode::kDeadlineExceeded,
                    "the request's deadline passed before its answer");
  withdraw(Withdrawal::Reason::kDeadline, error);
  fail(error);
}

void Exchange::shut_down() noexcept {
  const Error error(ErrorCode::kUnavailable, "the server shut down before the answer was ready");
  withdraw(Withdrawal::Reason::kShutdown, error);
  fail(error);
}

void Exchange::leave() noexcept {
  withdraw(Withdrawal::Reason::kClientLeft, Error(ErrorCode::kCancelled, "the client left"));
}

void Exchange::detach() noexcept {
  host_ = nullptr;
  release();
}

}  // namespace maas
