// SPDX-License-Identifier: Apache-2.0
#include "maas/server/pending_call.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/error.h"
#include "maas/server/head_fields.h"
#include "maas/server/response_head.h"

namespace maas {
namespace {

constexpr std::size_t kSmallBody = std::size_t{48} << 10U;  // of a connection are not counted, too

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
  split_fields(exchange.cors, answer);
  if (exchange.http.method != Method::kHead) {
    answer.body = std::move(response.body);
    for (const Tensor& tensor : response.tensors) {
      answer.body.append(static_cast<const char*>(tensor.data()), tensor.byte_size());
    }
  }
  return answer;
}

}  // namespace

// Wakes those who wait for the one job that there is, or for its stream.
class PendingCall::Inbox final : public Mailbox {
 public:
  // How often there was news. To be asked before one looks for some and then waits.
  std::uint64_t news() {
    const std::lock_guard lock(mutex_);
    return news_;
  }
  // Until there is more than was known, mail or that somebody else has settled the call.
  void wait(std::uint64_t known, Clock& clock, TimePoint until) {
    std::unique_lock lock(mutex_);
    while (news_ == known && clock.now() < until) {
      clock.wait_until(lock, changed_, until);
    }
  }
  void notify() noexcept override {
    std::shared_ptr<StreamListener> listener;
    {
      const std::lock_guard lock(mutex_);
      ++news_;
      changed_.notify_all();
      listener = listener_.lock();
    }
    if (listener) {
      listener->moved();
    }
  }
  void tell(const std::shared_ptr<StreamListener>& listener) {
    const std::lock_guard lock(mutex_);
    listener_ = listener;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t news_ = 0;                  // guarded by mutex_
  std::weak_ptr<StreamListener> listener_;  // likewise
};

PendingCall::PendingCall(Server::Call call, Clock& clock, ServerState& state, ByteBudget& bytes)
    : call_(std::move(call)),
      clock_(clock),
      state_(state),
      lease_(bytes),
      inbox_(std::make_shared<Inbox>()),
      exchange_(std::make_shared<Exchange>(*this, inbox_)) {
  for (const auto& [name, value] : call_.headers) {
    headers_.push_back({name, value});
  }
  state_.in_flight.add(1);
}

PendingCall::~PendingCall() {
  cancel();
  exchange_->detach();
  inbox_->close();
}

void PendingCall::begin(const std::function<void(Exchange&)>& dispatch) {
  const std::lock_guard lock(mutex_);
  for (const Header& header : headers_) {
    if (same_token(header.name, "X-Request-Id")) {
      exchange_->request.id = RequestId::accepted(header.value);
    } else if (same_token(header.name, "Host")) {
      exchange_->http.authority = header.value;
    }
  }
  if (exchange_->request.id.text().empty()) {
    exchange_->request.id = RequestId::next();
  }
  exchange_->arrived = clock_.now();
  exchange_->http.verb = call_.method;
  exchange_->http.method = method_named(call_.method);
  exchange_->http.headers = headers_;
  exchange_->http.body = call_.body;
  if (call_.body.size() > kSmallBody && !lease_.grow_to(call_.body.size())) {
    exchange_->fail(
        Error(ErrorCode::kOverloaded,
              "the server holds too many bytes of other requests to take this body of " +
                  std::to_string(call_.body.size()) + " bytes; try again later"));
  } else if (!split_target(call_.target, exchange_->http)) {
    exchange_->fail(Error(ErrorCode::kInvalidArgument, "the request target is not a path"));
  } else {
    dispatch(*exchange_);
  }
  if (exchange_->http.body.empty()) {
    std::string().swap(call_.body);  // it was read, or nobody will
  }
  settle();
}

bool PendingCall::done() {
  const std::lock_guard lock(mutex_);
  collect();
  return answer_.has_value();
}

void PendingCall::watch(const std::shared_ptr<StreamListener>& listener) {
  inbox_->tell(listener);
}

Duration PendingCall::remaining() {
  const std::lock_guard lock(mutex_);
  const TimePoint at = answer_ ? TimePoint::max() : exchange_->request.deadline.at();
  return at == TimePoint::max() ? Duration::max() : at - clock_.now();
}

Server::Answer PendingCall::wait() {
  for (std::uint64_t known = inbox_->news(); !done(); known = inbox_->news()) {
    inbox_->wait(known, clock_, exchange_->request.deadline.at());
  }
  return *answer_;
}

std::string PendingCall::read() {
  wait();
  for (;;) {
    const std::uint64_t known = inbox_->news();
    TimePoint until;
    if (auto bytes = read_now(until)) {
      return *std::move(bytes);
    }
    inbox_->wait(known, clock_, until);
  }
}

// What there is, or the end; else until when the next may come.
std::optional<std::string> PendingCall::read_now(TimePoint& until) {
  const std::lock_guard lock(mutex_);
  collect();
  std::string bytes = next_bytes();
  if (!bytes.empty() || !stream_.active()) {
    return bytes;
  }
  until = stream_.due();
  return std::nullopt;
}

std::string PendingCall::next_bytes() {
  std::string bytes;
  if (stream_.active()) {
    if (stream_.late(clock_.now())) {
      exchange_->expire();
      stream_.fail(Error(ErrorCode::kDeadlineExceeded, "the next item did not come in time"));
    }
    stream_.append(bytes, clock_.now());
    settle_stream();
  }
  return bytes;
}

void PendingCall::cancel() {
  const std::lock_guard lock(mutex_);
  collect();
  if (stream_.active()) {
    exchange_->leave();
    stream_.reset();
    settle_stream();
    inbox_->notify();
  } else if (!answer_) {
    exchange_->leave();
    exchange_->fail(Error(ErrorCode::kCancelled, "the client left"));
    settle();
    inbox_->notify();
  }
}

void PendingCall::collect() {
  if (answer_ && !stream_.active()) {
    return;
  }
  inbox_->take(mail_);
  for (const auto& exchange : mail_) {
    exchange->deliver(clock_.now());
  }
  mail_.clear();
  if (!exchange_->is_answered() && exchange_->request.deadline.expired(clock_.now())) {
    exchange_->expire();
  }
  settle();
}

// Keeps the answer once there is one.
void PendingCall::settle() {
  if (answer_ || !exchange_->is_answered()) {
    return;
  }
  answer_ = answer_of(*exchange_);
  state_.count_answer(answer_->status);
  const ResponseStream& stream = exchange_->response.stream;
  if (stream && has_body(answer_->status) && exchange_->http.method != Method::kHead) {
    stream_.begin(stream, exchange_->request.id.text(), false, clock_.now());
    return;
  }
  if (stream) {
    stream.items->close();
  }
  settle_stream();
}

// When nothing follows any more.
void PendingCall::settle_stream() noexcept {
  if (!stream_.active()) {
    lease_.give_back();
    exchange_->catalog.reset();  // a job that expired may hold the exchange for longer
    state_.in_flight.add(-1);
  }
}

void PendingCall::withdrawn(const ServedModel& served, Withdrawal withdrawal) noexcept {
  state_.withdrawals.add(served, withdrawal);
}

}  // namespace maas
