// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/remote_model.h"

namespace maas {

void RemoteModel::run(Batch batch, const ExecutorContext& /*context*/, BatchDone done) {
  const auto task = std::make_shared<WorkerTask>();
  task->model = options_.index;
  task->signature = &options_.signature;
  task->exclusive = options_.exclusive;
  task->idempotent = options_.idempotent;
  task->divides = options_.divides;
  task->batch = std::move(batch);
  task->done = std::move(done);
  pool_->submit(task);
}

void RemoteModel::warm_up(std::int64_t /*rows*/, const ExecutorContext& /*context*/) {}

}  // namespace maas
