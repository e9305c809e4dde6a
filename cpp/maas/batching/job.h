// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "maas/base/cancellation.h"
#include "maas/base/clock.h"
#include "maas/base/priority.h"
#include "maas/base/request_id.h"
#include "maas/base/result.h"
#include "maas/runtime/item_stream.h"
#include "maas/runtime/origin.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What one caller asks of a model.
struct Request {
  RequestId id;
  Deadline deadline;  // covers queue and run
  int priority = kDefaultPriority;
  std::int64_t rows = 1;       // of each input
  std::vector<Tensor> inputs;  // in signature order
  std::shared_ptr<const Origin> origin{};
  std::shared_ptr<ItemStream> inbound{};  // what the caller sends meanwhile; null for nothing
  std::uint64_t local_call = 0;           // see BatchItem
};

// Where a request's time went.
struct Timings {
  Duration queue{};    // from submit to the start of its batch
  Duration compute{};  // the model's run
  std::int64_t batch_rows = 0;
};

struct Reply {
  std::vector<Tensor> outputs;  // this request's rows of each output, in signature order
  Timings timings{};
  std::shared_ptr<ItemStream> stream{};  // what follows the outputs bit by bit; null for nothing
};

// A request on its way through a batcher, with what is to happen when it is answered. Made by the
// submitter and shared with the batcher until it is completed.
class Job {
 public:
  Job() : Job(std::make_shared<Cancellation>()) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  Request request;  // not changed between submit() and complete()

  // Called exactly once for a job that was accepted, from an executor or from whoever closes the
  // batcher. Must be quick: it hands the answer on. Must not throw.
  virtual void complete(Result<Reply> result) noexcept = 0;

  // Nobody waits for the answer any more. Batcher::cancel() also takes it out of the queue.
  void cancel() noexcept { cancellation_->cancel(); }
  [[nodiscard]] bool cancelled() const noexcept { return cancellation_->cancelled(); }
  // What the code that runs for this request may look at.
  [[nodiscard]] std::shared_ptr<const Cancellation> cancellation() const noexcept {
    return cancellation_;
  }
  // For a submitter that uses the object again for its next request.
  void renew() {
    if (cancellation_->cancelled() || cancellation_.use_count() > 1) {
      cancellation_ = std::make_shared<Cancellation>();  // the old one is another request's
    }
  }

  // Where it stands in its batcher, which alone sets and reads it.
  struct Place {
    TimePoint submitted;
    TimePoint rank;  // what waits goes in this order, then by sequence
    std::uint64_t sequence = 0;
    std::uint64_t key = 0;    // of what it may share a batch with
    std::int64_t length = 0;  // see Padding
    std::size_t bytes = 0;    // taken from the engine's budget
    int parts = 0;            // jobs that it was divided into, when it is too large for one batch
    bool is_part = false;
  };
  Place place;

 protected:
  // For a part of another job, which is cancelled with it.
  explicit Job(std::shared_ptr<Cancellation> cancellation)
      : cancellation_(std::move(cancellation)) {}
  [[nodiscard]] static std::shared_ptr<Cancellation> cancellation_of(const Job& job) noexcept {
    return job.cancellation_;
  }

 private:
  std::shared_ptr<Cancellation> cancellation_;
};

}  // namespace maas
