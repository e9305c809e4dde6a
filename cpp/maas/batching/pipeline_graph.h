// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
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

  explicit PipelineGraph(const Pipeline::Wiring& wiring);

  [[nodiscard]] const Signature& signature() const noexcept { return signature_; }
  [[nodiscard]] const std::vector<Stage>& stages() const noexcept { return stages_; }
  [[nodiscard]] std::size_t tensors() const noexcept { return edges_.size(); }
  // In signature order.
  [[nodiscard]] const std::vector<std::size_t>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<std::size_t>& outputs() const noexcept { return outputs_; }

 private:
  // A model's input or output.
  struct End {
    std::shared_ptr<ServedModel> served;
    TensorSpec spec;

    [[nodiscard]] std::string name() const { return served->name() + "." + spec.name; }
    [[nodiscard]] std::string text() const;
  };
  // A named tensor: who gives it and who takes it.
  struct Edge {
    std::string name;
    bool given = false;  // by the request
    std::vector<End> sources{};
    std::vector<End> takers{};

    void check() const;
    void check_agreement(const End& a, const End& b) const;
  };

  [[nodiscard]] std::size_t number(const std::string& name);
  Tensors add_ends(const std::shared_ptr<ServedModel>& served,
                   const std::vector<TensorSpec>& specs,
                   const std::vector<std::string>& names,
                   std::vector<End> Edge::* ends);
  void add_stage(const Pipeline::Stage& stage);
  void check_order() const;
  void describe();

  std::vector<Edge> edges_;
  std::vector<Stage> stages_;
  std::vector<std::size_t> inputs_;
  std::vector<std::size_t> outputs_;
  Signature signature_;
};

}  // namespace maas
