// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "maas/base/clock.h"
#include "maas/runtime/model.h"

namespace maas {

// A batch on its way to a worker and back. Kept until it is answered, so that it can be run again.
// Shared by the thread that writes it for a worker and the one that hears of its end; only
// answer() and `deaths` change it, and only one of them calls these.
struct WorkerTask {
  std::uint32_t model = 0;  // which of the worker's
  const Signature* signature = nullptr;
  bool exclusive = true;    // no other batch runs in the worker meanwhile
  bool idempotent = false;  // to run it again does no harm
  bool divides = true;      // the batcher runs the parts of a batch that fails as a whole
  Batch batch;
  BatchDone done;
  int deaths = 0;  // of workers that ran it

  void answer(Result<BatchResult> result) { std::exchange(done, {})(std::move(result)); }

  // Nobody waits for any of its requests.
  [[nodiscard]] bool is_expired(TimePoint now) const noexcept {
    return !batch.items.empty() &&
           std::all_of(batch.items.begin(), batch.items.end(), [&](const BatchItem& item) {
             return item.deadline.expired(now) ||
                    (item.cancellation != nullptr && item.cancellation->cancelled());
           });
  }
  // When the last of its requests is too late; never when one has no deadline.
  [[nodiscard]] Deadline deadline() const noexcept {
    TimePoint latest = batch.items.empty() ? TimePoint::max() : TimePoint::min();
    for (const BatchItem& item : batch.items) {
      latest = std::max(latest, item.deadline.at());
    }
    return Deadline(latest);
  }
  // The ids of its requests, as the log has them.
  [[nodiscard]] std::string ids() const {
    std::string all;
    for (const BatchItem& item : batch.items) {
      all += all.empty() ? "" : " ";
      all += item.id.text();
    }
    return all;
  }
};

using TaskPtr = std::shared_ptr<WorkerTask>;

}  // namespace maas
