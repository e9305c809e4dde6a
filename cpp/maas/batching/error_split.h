// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "maas/base/error.h"
#include "maas/batching/assembler.h"

namespace maas {

// Finds the requests to blame for a batch that failed, by running its halves, then the halves of
// those that fail, and so on, level by level. A level at which only one group failed is always run
// again, so one culprit in a batch is always found. Else a rerun is paid for with its rows: each
// failed batch brings as many as it has, a rerun that succeeds costs nothing, and batches that
// succeed at once save up a few more. So a model that fails whatever it is given costs at most
// twice its work and what was saved up. Not thread-safe: guarded by its Batcher's lock.
class ErrorSplit {
 public:
  class Family;  // what is left of one failed batch
  struct Group {
    Jobs jobs;
    std::shared_ptr<Family> family;  // null: not a rerun
  };
  // Jobs that have to be answered with their batch's error.
  struct Verdict {
    Jobs jobs;
    Error error;
  };

  // `most_saved`: rows.
  explicit ErrorSplit(std::int64_t most_saved) noexcept : most_saved_(most_saved) {}

  // A group ran and failed. Those that are to blame; the others wait to be run again.
  std::vector<Verdict> failed(Group group, const Error& error);
  // A group ran, or has nobody left who waits for it. `rows` were answered.
  std::vector<Verdict> succeeded(const std::shared_ptr<Family>& family, std::int64_t rows);

  [[nodiscard]] bool has_group() const noexcept { return !groups_.empty(); }
  // The next to run again. REQUIRES: has_group()
  Group take_group();
  // All jobs that wait to be run again.
  Jobs take_all();

 private:
  std::vector<Verdict> next_level(const std::shared_ptr<Family>& family);
  void halve(const std::shared_ptr<Family>& family, Jobs jobs);
  // Whether the rows may be run again; `anyway`: also for more than there is.
  bool pay(Family& family, std::int64_t rows, bool anyway) noexcept;

  const std::int64_t most_saved_;
  std::int64_t saved_ = 0;
  std::deque<Group> groups_;
};

}  // namespace maas
