// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maas/batching/served_model.h"
#include "maas/runtime/model.h"

namespace maas {

// Models wired together, as a model: named tensors are the edges. Each stage goes to the batcher of
// its own model, where it shares batches with every other caller's requests, as soon as the tensors
// that it needs are there; tensors move by reference, and no thread waits. Each stage has the
// request's id, deadline and priority, and is cancelled with it. What a stage fails with, the
// pipeline fails with. Serve it with BatchOptions::whole_requests (Engine::serve_composed).
class Pipeline final : public Model {
 public:
  struct Stage {
    std::shared_ptr<ServedModel> served;
    std::vector<std::string> inputs;   // the tensor for each input of the model; "" for none
    std::vector<std::string> outputs;  // what each output of the model is called here; "" drops it
  };
  struct Wiring {
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<Stage> stages;
  };

  // Throws invalid_argument when the wiring does not make a pipeline: a tensor that nothing gives
  // or that two give, a cycle, an input that takes another dtype or shape.
  explicit Pipeline(const Wiring& wiring);
  ~Pipeline() override;

  [[nodiscard]] const Signature& signature() const noexcept override;
  [[nodiscard]] std::string_view platform() const noexcept override { return "ensemble"; }
  void run(Batch batch, const ExecutorContext& context, BatchDone done) override;
  // Its stages have been warmed up as models of their own.
  void warm_up(std::int64_t rows, const ExecutorContext& context) override;

 private:
  class Run;

  const std::shared_ptr<const class PipelineGraph> graph_;  // shared with the runs
};

}  // namespace maas
