// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "maas/base/clock.h"
#include "maas/base/request_id.h"
#include "maas/base/result.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What one caller asks of a model.
struct Request {
  RequestId id;
  Deadline deadline;           // covers queue and run
  std::int64_t rows = 1;       // of each input
  std::vector<Tensor> inputs;  // in signature order
};

// Where a request's time went.
struct Timings {
  Duration queue{};    // from submit to the start of its batch
  Duration compute{};  // the model's run
  std::int64_t batch_rows = 0;
};

struct Reply {
  std::vector<Tensor> outputs;  // this request's rows of each output, in signature order
  Timings timings;
};

// A request on its way through a batcher, with what is to happen when it is answered. Made by the
// submitter and shared with the batcher until it is completed.
class Job {
 public:
  virtual ~Job() = default;

  Request request;  // not changed between submit() and complete()

  // Called exactly once for a job that was accepted, from an executor or from whoever closes the
  // batcher. Must be quick: it hands the answer on. Must not throw.
  virtual void complete(Result<Reply> result) noexcept = 0;

  // Nobody waits for the answer any more: if the job has not started it never will.
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept {
    return cancelled_.load(std::memory_order_relaxed);
  }
  // For a submitter that uses the object again for its next request.
  void reset() noexcept { cancelled_.store(false, std::memory_order_relaxed); }

  TimePoint submitted;  // set by the batcher

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace maas
