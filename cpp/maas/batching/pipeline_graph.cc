// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/pipeline_graph.h"

#include <algorithm>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::kInvalidArgument, "pipeline: " + sentence);
}

// One end of an edge: a model's input or output.
struct End {
  const ServedModel* served = nullptr;
  const TensorSpec* spec = nullptr;

  [[nodiscard]] std::string text() const { return served->name() + "." + spec->name; }
};

std::vector<End> ends(const std::vector<PipelineGraph::Stage>& stages,
                      std::size_t tensor,
                      bool outputs) {
  std::vector<End> found;
  for (const PipelineGraph::Stage& stage : stages) {
    const Signature& signature = stage.served->model().signature();
    const auto& tensors = outputs ? stage.outputs : stage.inputs;
    const auto& specs = outputs ? signature.outputs : signature.inputs;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i] == tensor) {
        found.push_back({stage.served.get(), &specs[i]});
      }
    }
  }
  return found;
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

void check_agreement(const std::string& tensor, const End& a, const End& b) {
  if (a.spec->dtype != b.spec->dtype || a.spec->shape_tensor != b.spec->shape_tensor ||
      !agree(*a.spec, *b.spec)) {
    const auto shown = [](const End& end) {
      std::string text = end.text();
      text.append(" (").append(protocol_name(end.spec->dtype));
      if (end.spec->row) {
        text.append(" ").append(end.spec->row->to_string());
      }
      return text.append(")");
    };
    refuse("tensor '" + tensor + "' cannot be both " + shown(a) + " and " + shown(b));
  }
}

}  // namespace

PipelineGraph::PipelineGraph(Pipeline::Wiring wiring) {
  if (wiring.stages.empty() || wiring.inputs.empty() || wiring.outputs.empty()) {
    refuse("it needs a stage, an input and an output");
  }
  for (const std::string& name : wiring.inputs) {
    const std::size_t tensor = number(name);
    if (std::count(inputs_.begin(), inputs_.end(), tensor) > 0) {
      refuse("two of its inputs are called '" + name + "'");
    }
    inputs_.push_back(tensor);
  }
  for (Pipeline::Stage& stage : wiring.stages) {
    add_stage(std::move(stage));
  }
  for (const std::string& name : wiring.outputs) {
    outputs_.push_back(known(name, "output"));
  }
  check_edges();
  check_order();
  describe();
}

std::size_t PipelineGraph::number(const std::string& name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) {
    return static_cast<std::size_t>(found - names_.begin());
  }
  names_.push_back(name);
  return names_.size() - 1;
}

std::size_t PipelineGraph::known(const std::string& name, const char* kind) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) {
    refuse(std::string("nothing gives its ") + kind + " '" + name + "'");
  }
  return static_cast<std::size_t>(found - names_.begin());
}

void PipelineGraph::add_stage(Pipeline::Stage stage) {
  const Signature& signature = stage.served->model().signature();
  const auto numbers = [&](const std::vector<std::string>& names, std::size_t wanted) {
    if (names.size() != wanted) {
      refuse("model '" + stage.served->name() + "' is wired with " + std::to_string(names.size()) +
             " tensors in place of " + std::to_string(wanted));
    }
    Tensors tensors;
    for (const std::string& name : names) {
      tensors.push_back(name.empty() ? std::nullopt : std::optional(number(name)));
    }
    return tensors;
  };
  Stage made{nullptr, numbers(stage.inputs, signature.inputs.size()),
             numbers(stage.outputs, signature.outputs.size())};
  for (std::size_t i = 0; i < made.inputs.size(); ++i) {
    if (!made.inputs[i] && !signature.inputs[i].optional) {
      refuse("model '" + stage.served->name() + "' needs its input '" + signature.inputs[i].name +
             "'");
    }
  }
  if (!stages_.empty() &&
      stages_.front().served->model().signature().batch_dim != signature.batch_dim) {
    refuse("models '" + stages_.front().served->name() + "' and '" + stage.served->name() +
           "' do not go together: one has a batch dimension, the other none");
  }
  made.served = std::move(stage.served);
  stages_.push_back(std::move(made));
}

void PipelineGraph::check_edges() const {
  for (std::size_t tensor = 0; tensor < names_.size(); ++tensor) {
    const bool given = std::count(inputs_.begin(), inputs_.end(), tensor) > 0;
    const auto sources = ends(stages_, tensor, true);
    const auto takers = ends(stages_, tensor, false);
    if (sources.size() + (given ? 1 : 0) > 1) {
      refuse("tensor '" + names_[tensor] + "' is given twice, the second time by " +
             sources.back().text());
    }
    if (sources.empty() && !given) {
      refuse("nothing gives tensor '" + names_[tensor] + "', which " + takers.front().text() +
             " takes");
    }
    if (given && takers.empty()) {
      refuse("no stage takes its input '" + names_[tensor] + "'");
    }
    for (const End& taker : takers) {
      check_agreement(names_[tensor], sources.empty() ? takers.front() : sources.front(), taker);
    }
  }
}

// Whether every stage gets its turn when each runs as soon as it can.
void PipelineGraph::check_order() const {
  std::vector<bool> there(names_.size(), false);
  for (const std::size_t input : inputs_) {
    there[input] = true;
  }
  std::vector<const Stage*> left;
  for (const Stage& stage : stages_) {
    left.push_back(&stage);
  }
  const auto ready = [&](const Stage* stage) {
    return std::all_of(stage->inputs.begin(), stage->inputs.end(),
                       [&](const auto& tensor) { return !tensor || there[*tensor]; });
  };
  while (!left.empty()) {
    const auto next = std::find_if(left.begin(), left.end(), ready);
    if (next == left.end()) {
      refuse("model '" + left.front()->served->name() +
             "' waits for a tensor that comes from its own outputs");
    }
    for (const auto& tensor : (*next)->outputs) {
      if (tensor) {
        there[*tensor] = true;
      }
    }
    left.erase(next);
  }
}

void PipelineGraph::describe() {
  signature_.batch_dim = stages_.front().served->model().signature().batch_dim;
  for (const std::size_t tensor : inputs_) {
    const auto takers = ends(stages_, tensor, false);
    TensorSpec spec = *takers.front().spec;
    spec.name = names_[tensor];
    spec.optional = std::all_of(takers.begin(), takers.end(),
                                [](const End& taker) { return taker.spec->optional; });
    signature_.inputs.push_back(std::move(spec));
  }
  for (const std::size_t tensor : outputs_) {
    const auto sources = ends(stages_, tensor, true);
    if (sources.empty()) {
      refuse("its output '" + names_[tensor] + "' is one of its inputs");
    }
    TensorSpec spec = *sources.front().spec;
    spec.name = names_[tensor];
    signature_.outputs.push_back(std::move(spec));
  }
}

}  // namespace maas
