// SPDX-License-Identifier: Apache-2.0
#include "maas/server/local_call.h"

#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/head_fields.h"

namespace maas {
namespace {

// "Name: value\r\n" lines.
void split_fields(std::string_view lines, Server::Answer& answer) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      answer.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
  }
}

Server::Answer answer_of(Exchange& exchange) {
  Server::Answer answer;
  HttpResponse& response = exchange.response;
  answer.status = response.status;
  if (!response.content_type.empty()) {
    answer.headers.emplace_back("Content-Type", response.content_type);
  }
  answer.headers.emplace_back("X-Request-Id", exchange.request.id.text());
  split_fields(response.headers, answer);
  if (exchange.http.method != Method::kHead) {
    answer.body = std::move(response.body);
  }
  return answer;
}

}  // namespace

Server::Answer LocalCall::run(const Server::Call& call,
                              const std::function<void(Exchange&)>& dispatch) {
  const auto exchange = std::make_shared<Exchange>(*this);
  std::vector<Header> headers;
  for (const auto& [name, value] : call.headers) {
    headers.push_back({name, value});
  }
  exchange->request.id = RequestId::next();
  exchange->arrived = clock_.now();
  exchange->http.method = method_named(call.method);
  exchange->http.headers = headers;
  exchange->http.body = call.body;
  if (!split_target(call.target, exchange->http)) {
    exchange->fail(Error(ErrorCode::kInvalidArgument, "the request target is not a path"));
  } else {
    dispatch(*exchange);
  }
  while (!exchange->is_answered()) {
    wait(*exchange);
  }
  Server::Answer answer = answer_of(*exchange);
  exchange->catalog.reset();  // a job that expired may hold the exchange for longer
  return answer;
}

void LocalCall::wait(Exchange& exchange) {
  std::unique_lock lock(mutex_);
  while (mail_.empty() && !deadline_.expired(clock_.now())) {
    clock_.wait_until(lock, changed_, deadline_.at());
  }
  const auto mail = std::move(mail_);
  mail_.clear();
  lock.unlock();
  for (const auto& answered : mail) {
    answered->deliver();
  }
  if (mail.empty()) {
    exchange.expire();
  }
}

void LocalCall::watch(Exchange& exchange) noexcept {
  const std::lock_guard lock(mutex_);
  deadline_ = exchange.request.deadline;
  if (++jobs_ > 0) {  // not so when the answer was faster
    self_ = shared_from_this();
  }
}

void LocalCall::post(std::shared_ptr<Exchange> exchange) noexcept {
  std::shared_ptr<LocalCall> self;  // outlives the lock
  const std::lock_guard lock(mutex_);
  if (--jobs_ == 0) {
    self = std::move(self_);
  }
  mail_.push_back(std::move(exchange));
  changed_.notify_all();
}

void LocalCall::answered(Exchange&) noexcept {}

}  // namespace maas
