// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/pipeline.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>

#include "maas/base/error.h"
#include "maas/batching/job.h"
#include "maas/batching/pipeline_graph.h"

namespace maas {

// One request on its way through the graph. Shared by the stages that are under way.
class Pipeline::Run : public std::enable_shared_from_this<Run> {
 public:
  Run(std::shared_ptr<const PipelineGraph> graph, Batch batch, BatchDone done);

  void start();

 private:
  class StageJob;
  using Stages = std::vector<std::size_t>;

  [[nodiscard]] Stages ready();
  void submit(const Stages& stages);
  void submit(std::size_t stage);
  void take(std::size_t stage, Result<Reply> reply) noexcept;
  Stages keep(std::size_t stage, std::vector<Tensor> outputs);
  void fail(const Error& error) noexcept;
  [[nodiscard]] BatchResult result();

  const std::shared_ptr<const PipelineGraph> graph_;
  const BatchItem item_;
  const std::shared_ptr<Cancellation> cancellation_;  // of all its stages

  std::mutex mutex_;
  std::vector<std::optional<Tensor>> tensors_;  // guarded by mutex_
  std::vector<bool> started_;                   // guarded by mutex_; by stage
  std::size_t left_;                            // guarded by mutex_; stages without an answer
  BatchDone done_;                              // guarded by mutex_; empty when it was called
};

class Pipeline::Run::StageJob final : public Job {
 public:
  StageJob(std::shared_ptr<Run> run, std::size_t stage)
      : Job(run->cancellation_), run_(std::move(run)), stage_(stage) {}
  void complete(Result<Reply> result) noexcept override { run_->take(stage_, std::move(result)); }

 private:
  const std::shared_ptr<Run> run_;
  const std::size_t stage_;
};

Pipeline::Run::Run(std::shared_ptr<const PipelineGraph> graph, Batch batch, BatchDone done)
    : graph_(std::move(graph)),
      item_(batch.items.front()),
      cancellation_(std::make_shared<Cancellation>(item_.cancellation)),
      tensors_(graph_->tensors()),
      started_(graph_->stages().size(), false),
      left_(graph_->stages().size()),
      done_(std::move(done)) {
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    tensors_[graph_->inputs()[i]] = std::move(batch.inputs[i]);
  }
}

void Pipeline::Run::start() {
  Stages first;
  {
    const std::lock_guard lock(mutex_);
    first = ready();
  }
  submit(first);
}

// Those that can start and have not; they count as started.
Pipeline::Run::Stages Pipeline::Run::ready() {
  Stages found;
  for (std::size_t i = 0; i < started_.size(); ++i) {
    const auto& inputs = graph_->stages()[i].inputs;
    if (!started_[i] && std::all_of(inputs.begin(), inputs.end(), [&](const auto& tensor) {
          return !tensor || tensors_[*tensor];
        })) {
      started_[i] = true;
      found.push_back(i);
    }
  }
  return found;
}

void Pipeline::Run::submit(const Stages& stages) {
  for (const std::size_t stage : stages) {
    try {
      submit(stage);
    } catch (...) {
      fail(current_error());
    }
  }
}

void Pipeline::Run::submit(std::size_t stage) {
  const PipelineGraph::Stage& wired = graph_->stages()[stage];
  const auto job = std::make_shared<StageJob>(shared_from_this(), stage);
  job->request.id = item_.id;
  job->request.deadline = item_.deadline;
  job->request.priority = item_.priority;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& tensor : wired.inputs) {
      job->request.inputs.push_back(tensor ? *tensors_[*tensor] : Tensor());
    }
  }
  if (const Status accepted = wired.served->batcher().submit(job); !accepted) {
    fail(accepted.error());
  }
}

void Pipeline::Run::take(std::size_t stage, Result<Reply> reply) noexcept {
  try {
    if (reply) {
      submit(keep(stage, std::move(reply->outputs)));
    } else {
      fail(reply.error());
    }
  } catch (...) {
    fail(current_error());
  }
}

// The stages that can start now. The last answer ends the run.
Pipeline::Run::Stages Pipeline::Run::keep(std::size_t stage, std::vector<Tensor> outputs) {
  std::unique_lock lock(mutex_);
  const PipelineGraph::Tensors& names = graph_->stages()[stage].outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (names[i]) {
      tensors_[*names[i]] = std::move(outputs[i]);
    }
  }
  --left_;
  if (!done_) {
    return {};  // another stage failed meanwhile
  }
  if (left_ > 0) {
    return ready();
  }
  BatchDone done = std::exchange(done_, {});
  BatchResult answer = result();
  lock.unlock();
  done(std::move(answer));
  return {};
}

void Pipeline::Run::fail(const Error& error) noexcept {
  cancellation_->cancel();  // what waits for other stages is not run any more
  BatchDone done;
  {
    const std::lock_guard lock(mutex_);
    std::swap(done, done_);
  }
  if (done) {
    done(error);
  }
}

BatchResult Pipeline::Run::result() {
  BatchResult result;
  for (const std::size_t tensor : graph_->outputs()) {
    result.outputs.push_back(*tensors_[tensor]);
  }
  return result;
}

Pipeline::Pipeline(const Wiring& wiring) : graph_(std::make_shared<const PipelineGraph>(wiring)) {}

Pipeline::~Pipeline() = default;

const Signature& Pipeline::signature() const noexcept {
  return graph_->signature();
}

void Pipeline::run(Batch batch, const ExecutorContext& /*context*/, BatchDone done) {
  std::make_shared<Run>(graph_, std::move(batch), std::move(done))->start();
}

void Pipeline::warm_up(std::int64_t /*rows*/, const ExecutorContext& /*context*/) {}

}  // namespace maas
