// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/call.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace maas {
namespace {

class WaitingJob final : public Job {
 public:
  explicit WaitingJob(std::shared_ptr<const Cancellation> parent)
      : Job(std::make_shared<Cancellation>(std::move(parent))) {}
  void complete(Result<Reply> result) noexcept override {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    answered_.notify_one();
  }

  Result<Reply> wait(Clock& clock, Deadline deadline) {
    std::unique_lock lock(mutex_);
    while (!result_ && !deadline.expired(clock.now())) {
      clock.wait_until(lock, answered_, deadline.at());
    }
    if (result_) {
      return std::move(*result_);
    }
    cancel();
    return Error(ErrorCode::kDeadlineExceeded, "no answer before the deadline");
  }

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<Reply>> result_;  // guarded by mutex_
};

class CallbackJob final : public Job {
 public:
  CallbackJob(std::shared_ptr<const Cancellation> parent, UniqueFunction<void(Result<Reply>)> done)
      : Job(std::make_shared<Cancellation>(std::move(parent))), done_(std::move(done)) {}
  void complete(Result<Reply> result) noexcept override { done_(std::move(result)); }

 private:
  UniqueFunction<void(Result<Reply>)> done_;
};

void fill(Request& request, std::vector<Tensor> inputs, const Caller& caller) {
  request.id = caller.id;
  request.inputs = std::move(inputs);
  request.deadline = caller.deadline;
  request.priority = caller.priority;
  request.origin = caller.origin;
  request.local_call = caller.local_call;
}

// Wakes the executors at once: a model that calls another one from its run() is inside the scope of
// its own batch, which ends only when the answer is there.
Status submit_now(Batcher& batcher, const std::shared_ptr<Job>& job) {
  const WakeScope wakes;
  return batcher.submit(job);
}

}  // namespace

Caller Caller::of(std::span<const BatchItem> items, Deadline deadline) {
  Caller caller{.deadline = deadline};
  if (items.empty()) {
    return caller;
  }
  caller.id = items.front().id;
  caller.priority = items.front().priority;
  Deadline last = items.front().deadline;
  for (const BatchItem& item : items) {
    caller.priority = std::min(caller.priority, item.priority);
    last = item.deadline.at() > last.at() ? item.deadline : last;
  }
  caller.deadline = last.at() < deadline.at() ? last : deadline;
  if (items.size() == 1) {
    caller.cancellation = items.front().cancellation;
    caller.origin = items.front().origin;
  }
  return caller;
}

Result<Reply> call(Batcher& batcher,
                   std::vector<Tensor> inputs,
                   Clock& clock,
                   const Caller& caller) {
  const auto job = std::make_shared<WaitingJob>(caller.cancellation);
  fill(job->request, std::move(inputs), caller);
  if (const Status accepted = submit_now(batcher, job); !accepted) {
    return accepted.error();
  }
  return job->wait(clock, caller.deadline);
}

void call_async(Batcher& batcher,
                std::vector<Tensor> inputs,
                const Caller& caller,
                UniqueFunction<void(Result<Reply>)> done) {
  const auto job = std::make_shared<CallbackJob>(caller.cancellation, std::move(done));
  fill(job->request, std::move(inputs), caller);
  if (const Status accepted = submit_now(batcher, job); !accepted) {
    job->complete(accepted.error());
  }
}

}  // namespace maas
