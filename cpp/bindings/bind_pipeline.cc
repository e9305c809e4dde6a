// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine_handle.h"
#include "module.h"
#include <pybind11/stl.h>

#include "maas/batching/pipeline.h"

namespace maas {
namespace {

namespace py = pybind11;

// A stage as Python gives it: its model, and the names of the tensors that it takes and gives.
struct StageSpec {
  ModelHandle model;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

}  // namespace

void bind_pipeline(py::module_& module) {
  py::class_<StageSpec>(module, "Stage", py::is_final())
      .def(py::init([](ModelHandle model, std::vector<std::string> inputs,
                       std::vector<std::string> outputs) {
             return StageSpec{std::move(model), std::move(inputs), std::move(outputs)};
           }),
           py::arg("model"), py::kw_only(), py::arg("inputs"), py::arg("outputs"));
  module.def(
      "make_pipeline",
      [](const EngineHandle& engine, std::string name, int version,
         const std::vector<StageSpec>& stages, std::vector<std::string> inputs,
         std::vector<std::string> outputs, const BatchOptions& batching) {
        Pipeline::Wiring wiring{std::move(inputs), std::move(outputs), {}};
        std::transform(stages.begin(), stages.end(), std::back_inserter(wiring.stages),
                       [](const StageSpec& stage) {
                         return Pipeline::Stage{stage.model.served, stage.inputs, stage.outputs};
                       });
        return ModelHandle{engine.engine, engine.engine->serve_composed(
                                              {std::move(name), version},
                                              std::make_shared<Pipeline>(wiring), batching)};
      },
      py::arg("engine"), py::kw_only(), py::arg("name"), py::arg("version"), py::arg("stages"),
      py::arg("inputs"), py::arg("outputs"), py::arg("batching"),
      py::call_guard<py::gil_scoped_release>());
}

}  // namespace maas
