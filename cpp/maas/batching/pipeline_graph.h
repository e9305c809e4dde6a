// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "maas/batching/pipeline.h"
#include "maas/runtime/signature.h"

namespace maas {

// The wiring of a pipeline after it was checked, its tensors by number. Constant.
class PipelineGraph {
 public:
  using Tensors = std::vector<std::optional<std::size_t>>;  // nothing for "" in the wiring
  struct Stage {
    std::shared_ptr<ServedModel> served;
    Tensors inputs;
    Tensors outputs;
  };

  explicit PipelineGraph(Pipeline::Wiring wiring);

  [[nodiscard]] const Signature& signature() const noexcept { return signature_; }
  [[nodiscard]] const std::vector<Stage>& stages() const noexcept { return stages_; }
  [[nodiscard]] std::size_t tensors() const noexcept { return names_.size(); }
  // In signature order.
  [[nodiscard]] const std::vector<std::size_t>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<std::size_t>& outputs() const noexcept { return outputs_; }

 private:
  [[nodiscard]] std::size_t number(const std::string& name);
  [[nodiscard]] std::size_t known(const std::string& name, const char* kind) const;
  void add_stage(Pipeline::Stage stage);
  void check_edges() const;
  void check_order() const;
  void describe();

  std::vector<std::string> names_;  // of the tensors
  std::vector<Stage> stages_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> outputs_;
  Signature signature_;
};

}  // namespace maas
