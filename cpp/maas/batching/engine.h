// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "maas/base/byte_budget.h"
#include "maas/base/clock.h"
#include "maas/base/guarded.h"
#include "maas/base/log.h"
#include "maas/batching/batcher.h"
#include "maas/batching/served_model.h"
#include "maas/exec/core_budget.h"
#include "maas/exec/executor_pool.h"
#include "maas/exec/reaper.h"
#include "maas/runtime/model.h"

namespace maas {

// The clock, the core budget and the executor threads that models share. One per process as a rule;
// it must outlive the models and
// servers made with it. Any thread may call it.
class Engine {
 public:
  static constexpr std::size_t kDefaultHeldBytes = std::size_t{1} << 30U;

  Engine(const CoreBudget& budget,
         std::shared_ptr<Clock> clock,
         LogSink log,
         std::size_t max_held_bytes = kDefaultHeldBytes);
  // Waits a moment for executors that are letting go of the last models they ran.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A model that computes in C++ and shares the engine's executors, which grow in number when it
  // may run more batches at once. Warms it up. Throws what loading or warming up throws.
  std::shared_ptr<ServedModel> serve(ServedModel::Name name,
                                     std::shared_ptr<Model> model,
                                     BatchOptions options);
  // A model that may block or hold a lock for long (a Python callable): it gets executors of its
  // own, so that it can never keep another model waiting.
  std::shared_ptr<ServedModel> serve_apart(ServedModel::Name name,
                                           std::shared_ptr<Model> model,
                                           BatchOptions options,
                                           int threads);

  // A model that only hands its requests on to others that are served: it needs no executors, and
  // options.executors is how many of its requests may be under way. Each is given to it whole.
  std::shared_ptr<ServedModel> serve_composed(ServedModel::Name name,
                                              std::shared_ptr<Model> model,
                                              BatchOptions options);

  // Refuses new work everywhere and waits until what runs is done and models that nobody holds are
  // gone: for the end of the process. False at the deadline.
  bool close(Deadline deadline);

  // Waits until no executor has anything to do before time passes or new work comes: for tests that
  // hold the clock. False when that takes longer than `patience`, of real time.
  bool settle(std::chrono::milliseconds patience);

  [[nodiscard]] const CoreBudget& budget() const noexcept { return budget_; }
  [[nodiscard]] const std::shared_ptr<Clock>& clock() const noexcept { return clock_; }
  // Of the bytes that requests hold: bodies that are being read, inputs that wait or run.
  [[nodiscard]] ByteBudget& bytes() noexcept { return bytes_; }
  [[nodiscard]] const LogSink& log() const noexcept { return log_; }

 private:
  struct Live;

  [[nodiscard]] std::vector<std::shared_ptr<ServedModel>> alive() const;
  // Whoever drops the last reference leaves it to the reaper to drain and destroy the model.
  std::shared_ptr<ServedModel> share(std::unique_ptr<ServedModel> served);

  const CoreBudget budget_;
  const std::shared_ptr<Clock> clock_;
  const LogSink log_;
  ByteBudget bytes_;
  const std::shared_ptr<Live> live_;
  Guarded<std::vector<std::weak_ptr<ServedModel>>> served_;
  ExecutorPool executors_;
  Reaper reaper_;  // last, so that it is joined while the executors still run
};

}  // namespace maas
