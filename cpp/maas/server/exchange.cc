// SPDX-License-Identifier: Apache-2.0
#include "maas/server/exchange.h"

#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/http_status.h"
#include "maas/server/json_writer.h"

namespace maas {
namespace {

void write_default_error(std::string_view message, std::string_view request_id, std::string& body) {
  body += "{\"error\":";
  append_json_string(body, message);
  body += ",\"request_id\":";
  append_json_string(body, request_id);
  body += '}';
}

}  // namespace

void Handler::finish(Exchange& exchange, Reply) const {
  exchange.fail(Error(ErrorCode::kInternal, "the route has no use for a model's answer"));
}

void Handler::write_error(const Exchange& exchange, const Error& error, std::string& body) const {
  write_default_error(error.message(), exchange.request.id.text(), body);
}

void Exchange::reset() {
  http = {};
  response.clear();
  catalog.reset();
  model = nullptr;
  endpoint = nullptr;
  state.reset();
  request.id = {};
  request.deadline = {};
  request.rows = 1;
  request.inputs.clear();
  handler_ = nullptr;
  result_.reset();
  answered_ = false;
  Job::reset();
}

void Exchange::begin(const Handler& handler) {
  handler_ = &handler;
  try {
    handler.start(*this);
  } catch (...) {
    fail(current_error());
  }
}

void Exchange::respond() {
  if (!answered_) {
    answered_ = true;
    host_.answered(*this);
  }
}

void Exchange::fail(const Error& error) {
  if (answered_) {
    return;
  }
  response.clear();
  response.status = http_status(error);
  if (error.code() == ErrorCode::kOverloaded) {
    response.headers = "Retry-After: 1\r\n";
  }
  if (handler_ != nullptr) {
    handler_->write_error(*this, error, response.body);
  } else {
    write_default_error(error.message(), request.id.text(), response.body);
  }
  respond();
}

void Exchange::submit(const std::shared_ptr<ServedModel>& served, const Urgency& urgency) {
  request.deadline = Deadline::from(arrived, urgency.timeout);
  request.priority = urgency.priority != 0 ? urgency.priority : kDefaultPriority;
  const Status status = served->batcher().submit(shared_from_this());
  if (!status) {
    fail(status.error());
    return;
  }
  out_ = true;
  host_.watch(*this);
}

void Exchange::complete(Result<Reply> result) noexcept {
  result_.emplace(std::move(result));
  host_.post(shared_from_this());
}

void Exchange::deliver() noexcept {
  out_ = false;
  std::optional<Result<Reply>> result = std::exchange(result_, std::nullopt);
  if (answered_ || !result) {
    return;
  }
  try {
    if (!*result) {
      fail(result->error());
    } else {
      handler_->finish(*this, std::move(**result));
    }
  } catch (...) {
    fail(current_error());
  }
}

void Exchange::expire() noexcept {
  cancel();
  fail(Error(ErrorCode::kDeadlineExceeded, "the request's deadline passed before its answer"));
}

}  // namespace maas
