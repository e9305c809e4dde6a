// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/pipeline_graph.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::kInvalidArgument, "pipeline: " + sentence);
}

bool is_ready(const PipelineGraph::Stage& stage, const std::vector<bool>& there) {
  return std::all_of(stage.inputs.begin(), stage.inputs.end(),
                     [&](const auto& tensor) { return !tensor || there[*tensor]; });
}

void give(const PipelineGraph::Stage& stage, std::vector<bool>& there) {
  for (const auto& tensor : stage.outputs) {
    if (tensor) {
      there[*tensor] = true;
    }
  }
}

// Whether one tensor can have both shapes.
bool agree(const TensorSpec& a, const TensorSpec& b) {
  if (!a.row || !b.row) {
    return true;
  }
  return std::equal(
      a.row->dims().begin(), a.row->dims().end(), b.row->dims().begin(), b.row->dims().end(),
      [](std::int64_t left, std::int64_t right) { return left == right || left < 0 || right < 0; });
}

}  // namespace

std::string PipelineGraph::End::text() const {
  std::string text = name();
  text.append(" (").append(protocol_name(spec.dtype));
  if (spec.row) {
    text.append(" ").append(spec.row->to_string());
  }
  return text.append(")");
}

void PipelineGraph::Edge::check() const {
  if (sources.size() + (given ? 1 : 0) > 1) {
    refuse("tensor '" + name + "' is given twice, the second time by " + sources.back().name());
  }
  if (sources.empty() && !given) {
    refuse("nothing gives " +
           (takers.empty() ? "its output '" + name + "'"
                           : "tensor '" + name + "', which " + takers.front().name() + " takes"));
  }
  if (given && takers.empty()) {
    refuse("no stage takes its input '" + name + "'");
  }
  for (const End& taker : takers) {
    check_agreement(sources.empty() ? takers.front() : sources.front(), taker);
  }
}

void PipelineGraph::Edge::check_agreement(const End& a, const End& b) const {
  if (a.spec.dtype != b.spec.dtype || a.spec.shape_tensor != b.spec.shape_tensor ||
      !agree(a.spec, b.spec)) {
    refuse("tensor '" + name + "' cannot be both " + a.text() + " and " + b.text());
  }
}

PipelineGraph::PipelineGraph(const Pipeline::Wiring& wiring) {
  if (wiring.stages.empty() || wiring.inputs.empty() || wiring.outputs.empty()) {
    refuse("it needs a stage, an input and an output");
  }
  for (const std::string& name : wiring.inputs) {
    inputs_.push_back(number(name));
    if (edges_[inputs_.back()].given) {
      refuse("two of its inputs are called '" + name + "'");
    }
    edges_[inputs_.back()].given = true;
  }
  for (const Pipeline::Stage& stage : wiring.stages) {
    add_stage(stage);
  }
  for (const std::string& name : wiring.outputs) {
    outputs_.push_back(number(name));
  }
  for (const Edge& edge : edges_) {
    edge.check();
  }
  check_order();
  describe();
}

std::size_t PipelineGraph::number(const std::string& name) {
  const auto found = std::find_if(edges_.begin(), edges_.end(),
                                  [&](const Edge& edge) { return edge.name == name; });
  if (found == edges_.end()) {
    edges_.push_back({name});
    return edges_.size() - 1;
  }
  return static_cast<std::size_t>(found - edges_.begin());
}

PipelineGraph::Tensors PipelineGraph::add_ends(const std::shared_ptr<ServedModel>& served,
                                               const std::vector<TensorSpec>& specs,
                                               const std::vector<std::string>& names,
                                               std::vector<End> Edge::* ends) {
  if (names.size() != specs.size()) {
    refuse("model '" + served->name() + "' is wired with " + std::to_string(names.size()) +
           " tensors in place of " + std::to_string(specs.size()));
  }
  Tensors tensors(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) {
      tensors[i] = number(names[i]);
      (edges_[*tensors[i]].*ends).push_back({served, specs[i]});
    }
  }
  return tensors;
}

void PipelineGraph::add_stage(const Pipeline::Stage& stage) {
  const std::shared_ptr<ServedModel>& served = stage.served;
  const Signature& signature = served->model().signature();
  Stage made{served, add_ends(served, signature.inputs, stage.inputs, &Edge::takers),
             add_ends(served, signature.outputs, stage.outputs, &Edge::sources)};
  for (std::size_t i = 0; i < made.inputs.size(); ++i) {
    if (!made.inputs[i] && !signature.inputs[i].optional) {
      refuse("model '" + served->name() + "' needs its input '" + signature.inputs[i].name + "'");
    }
  }
  if (stages_.empty()) {
    signature_.batch_dim = signature.batch_dim;
  } else if (signature_.batch_dim != signature.batch_dim) {
    refuse("models '" + stages_.front().served->name() + "' and '" + served->name() +
           "' do not go together: one has a batch dimension, the other none");
  }
  stages_.push_back(std::move(made));
}

// Whether every stage gets its turn when each runs as soon as it can.
void PipelineGraph::check_order() const {
  std::vector<bool> there(edges_.size(), false);
  for (const std::size_t input : inputs_) {
    there[input] = true;
  }
  std::vector<std::size_t> left(stages_.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  while (!left.empty()) {
    const auto next = std::find_if(left.begin(), left.end(), [&](std::size_t stage) {
      return is_ready(stages_[stage], there);
    });
    if (next == left.end()) {
      refuse("model '" + stages_[left.front()].served->name() +
             "' waits for a tensor that comes from its own outputs");
    }
    give(stages_[*next], there);
    left.erase(next);
  }
}

void PipelineGraph::describe() {
  for (const std::size_t tensor : inputs_) {
    const Edge& edge = edges_[tensor];
    TensorSpec spec = edge.takers.front().spec;
    spec.name = edge.name;
    spec.optional = std::all_of(edge.takers.begin(), edge.takers.end(),
                                [](const End& taker) { return taker.spec.optional; });
    signature_.inputs.push_back(std::move(spec));
  }
  for (const std::size_t tensor : outputs_) {
    const Edge& edge = edges_[tensor];
    if (edge.sources.empty()) {
      refuse("its output '" + edge.name + "' is one of its inputs");
    }
    TensorSpec spec = edge.sources.front().spec;
    spec.name = edge.name;
    signature_.outputs.push_back(std::move(spec));
  }
}

}  // namespace maas
