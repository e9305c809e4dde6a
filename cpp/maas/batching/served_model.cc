// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/served_model.h"

#include <utility>

namespace maas {

ServedModel::ServedModel(Name name,
                         std::shared_ptr<Model> model,
                         std::shared_ptr<Batcher> batcher,
                         ExecutorPool& pool,
                         std::unique_ptr<ExecutorPool> own_pool)
    : name_(std::move(name)),
      model_(std::move(model)),
      batcher_(std::move(batcher)),
      pool_(pool),
      own_pool_(std::move(own_pool)) {
  pool_.add(batcher_, batcher_->options().weight);
}

ServedModel::~ServedModel() {
  close(Deadline::never());
}

bool ServedModel::close(Deadline deadline) {
  if (!batcher_->close(deadline)) {
    return false;
  }
  pool_.remove(batcher_.get());
  return true;
}

}  // namespace maas
