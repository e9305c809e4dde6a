// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/call.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace maas {
namespace {

class WaitingJob final : public Job {
 public:
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
  explicit CallbackJob(UniqueFunction<void(Result<Reply>)> done) : done_(std::move(done)) {}
  void complete(Result<Reply> result) noexcept override { done_(std::move(result)); }

 private:
  UniqueFunction<void(Result<Reply>)> done_;
};

void fill(Request& request, std::vector<Tensor> inputs, Deadline deadline) {
  request.id = RequestId::next();
  request.inputs = std::move(inputs);
  request.deadline = deadline;
}

// Wakes the executors at once: a model that calls another one from its run() is inside the scope of
// its own batch, which ends only when the answer is there.
Status submit_now(Batcher& batcher, const std::shared_ptr<Job>& job) {
  const WakeScope wakes;
  return batcher.submit(job);
}

}  // namespace

Result<Reply> call(Batcher& batcher, std::vector<Tensor> inputs, Clock& clock, Deadline deadline) {
  const auto job = std::make_shared<WaitingJob>();
  fill(job->request, std::move(inputs), deadline);
  if (const Status accepted = submit_now(batcher, job); !accepted) {
    return accepted.error();
  }
  return job->wait(clock, deadline);
}

void call_async(Batcher& batcher,
                std::vector<Tensor> inputs,
                Deadline deadline,
                UniqueFunction<void(Result<Reply>)> done) {
  const auto job = std::make_shared<CallbackJob>(std::move(done));
  fill(job->request, std::move(inputs), deadline);
  if (const Status accepted = submit_now(batcher, job); !accepted) {
    job->complete(accepted.error());
  }
}

}  // namespace maas
