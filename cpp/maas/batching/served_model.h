// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maas/batching/batcher.h"
#include "maas/exec/executor_pool.h"
#include "maas/runtime/model.h"

namespace maas {

// One version of a model, live: the model, its batcher and its counters. Shared by the routes and
// handles that use it; a request keeps the version it started with. The destructor
// drains it and joins executors of its own; the Engine runs it on its reaper.
class ServedModel {
 public:
  struct Name {
    std::string name;
    int version = 1;
  };
  // `own_pool` is set when the model does not share the engine's executors.
  ServedModel(Name name,
              std::shared_ptr<Model> model,
              std::shared_ptr<Batcher> batcher,
              ExecutorPool& pool,
              std::unique_ptr<ExecutorPool> own_pool);
  ~ServedModel();
  ServedModel(const ServedModel&) = delete;
  ServedModel& operator=(const ServedModel&) = delete;

  // For ever: refuses new work, waits for what is accepted, and then until no executor is inside
  // the model any more. False at the deadline.
  bool close(Deadline deadline);

  [[nodiscard]] const std::string& name() const noexcept { return name_.name; }
  [[nodiscard]] int version() const noexcept { return name_.version; }
  [[nodiscard]] Model& model() const noexcept { return *model_; }
  [[nodiscard]] Batcher& batcher() const noexcept { return *batcher_; }
  // Whose threads run it.
  [[nodiscard]] ExecutorPool& pool() const noexcept { return pool_; }

 private:
  const Name name_;
  const std::shared_ptr<Model> model_;
  const std::shared_ptr<Batcher> batcher_;
  ExecutorPool& pool_;
  const std::unique_ptr<ExecutorPool> own_pool_;
};

}  // namespace maas
