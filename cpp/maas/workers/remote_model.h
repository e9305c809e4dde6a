// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "maas/runtime/model.h"
#include "maas/workers/worker_pool.h"

namespace maas {

// A model that runs in worker processes: each batch goes to one of them and comes back. Answers
// from a thread of the pool.
class RemoteModel final : public Model {
 public:
  struct Options {
    std::uint32_t index = 0;  // which of the workers' models
    Signature signature{};
    bool exclusive = true;    // a worker runs one of its batches at a time
    bool idempotent = false;  // a batch may run again when its worker has died
    bool divides = true;      // the batcher runs a batch that fails in parts
  };
  RemoteModel(std::shared_ptr<WorkerPool> pool, Options options)
      : pool_(std::move(pool)), options_(std::move(options)) {}

  [[nodiscard]] const Signature& signature() const noexcept override { return options_.signature; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "python"; }
  void run(Batch batch, const ExecutorContext& context, BatchDone done) override;
  // Each worker does that for itself when it starts.
  void warm_up(std::int64_t rows, const ExecutorContext& context) override;

  [[nodiscard]] WorkerPool& pool() const noexcept { return *pool_; }

 private:
  const std::shared_ptr<WorkerPool> pool_;
  const Options options_;
};

}  // namespace maas
