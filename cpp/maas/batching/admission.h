// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "maas/base/byte_budget.h"
#include "maas/base/clock.h"
#include "maas/base/result.h"
#include "maas/batching/job.h"
#include "maas/batching/options.h"
#include "maas/batching/padding.h"
#include "maas/batching/service_time.h"
#include "maas/batching/wait_queue.h"
#include "maas/runtime/signature.h"

namespace maas {

// Which requests a model takes: those that fit its signature, for which there is room, and that can
// be answered in time. Constant after construction, and so are the things it refers to, which
// outlive it; owned by a Batcher.
class Admission {
 public:
  struct Rules {
    const Signature& signature;
    const BatchOptions& options;
    const Padding& padding;
    ByteBudget& bytes;
  };
  // What the model is busy with. Guarded by the Batcher's lock.
  struct Load {
    const WaitQueue& queue;
    const ServiceTime& service;
    int running;  // batches
  };

  explicit Admission(const Rules& rules) noexcept : rules_(rules) {}

  // Checks the request on its own, supplies what it leaves out, and takes its bytes from the
  // budget: place.bytes has to be given back, also when it is refused later.
  Status prepare(Job& job, TimePoint now) const;
  // How many of the job's rows fit into one batch.
  [[nodiscard]] std::int64_t most_rows(const Job& job) const noexcept;

  // Whether the queue has room for so many more jobs.
  [[nodiscard]] Status check_room(const Load& load, std::size_t places) const;
  // Early refusal: better now than after a wait for nothing. An idle model takes everything, so
  // that a wrong estimate cannot keep itself alive.
  [[nodiscard]] Status check_deadline(const Load& load, const Job& job, TimePoint now) const;

 private:
  // How long what waits before a job of this rank will take; nothing before the first batch.
  [[nodiscard]] static std::optional<Duration> backlog(const Load& load, TimePoint rank);

  const Rules rules_;
};

}  // namespace maas
