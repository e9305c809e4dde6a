// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine_handle.h"
#include "module.h"
#include "python_model.h"
#include <pybind11/stl.h>

#include "maas/workers/remote_model.h"
#include "maas/workers/worker_pool.h"
#include "maas/workers/worker_session.h"

namespace maas {
namespace {

namespace py = pybind11;
using Unlocked = py::call_guard<py::gil_scoped_release>;

// What Python holds of a WorkerPool. The engine outlives it: members die in reverse order.
struct PoolHandle {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<WorkerPool> pool;
};

PoolHandle make_pool(const EngineHandle& engine, WorkerPool::Options options) {
  options.worker.clock = engine.engine->clock();
  options.worker.log = engine.engine->log();
  const py::gil_scoped_release unlocked;  // it waits for processes that log
  return {engine.engine, {new WorkerPool(std::move(options)), DeleteWithoutGil{}}};
}

ModelHandle add(const PoolHandle& self,
                std::string name,
                const std::vector<FieldSpec>& fields,
                RemoteModel::Options options,
                const BatchOptions& batching) {
  options.signature = PythonModel::signature_of(fields);
  options.divides = batching.on_error == OnBatchError::kSplit;
  auto model = std::make_shared<RemoteModel>(self.pool, std::move(options));
  return {self.engine, self.engine->serve_apart({std::move(name), 1}, std::move(model), batching,
                                                self.pool->workers())};
}

using Callable = std::tuple<py::object, std::vector<FieldSpec>, bool, bool>;

bool serve(const std::shared_ptr<WorkerSession>& self, std::vector<Callable> callables) {
  std::vector<WorkerSession::Served> models;
  for (auto& [function, fields, asynchronous, contexts] : callables) {
    PythonModel::Options options{.fields = std::move(fields),
                                 .asynchronous = asynchronous,
                                 .contexts = contexts,
                                 .clock = std::make_shared<SystemClock>(),
                                 .log = [self](const LogRecord& record) { self->log(record); }};
    models.push_back(
        {std::make_shared<PythonModel>(PyHandle(std::move(function)), std::move(options)),
         asynchronous});
  }
  callables.clear();
  const py::gil_scoped_release unlocked;
  return self->serve(models);
}

void bind_session(const py::module_& module) {
  py::class_<WorkerSession, std::shared_ptr<WorkerSession>>(module, "WorkerSession", py::is_final())
      .def(py::init([](int fd) { return std::make_shared<WorkerSession>(FileDescriptor(fd)); }),
           py::arg("fd"), Unlocked())
      .def_property_readonly("setup",
                             [](const WorkerSession& self) { return py::bytes(self.setup()); })
      .def("fail", &WorkerSession::fail, py::arg("reason"), Unlocked())
      .def(
          "log",
          [](const WorkerSession& self, int level, std::string message, std::string request_id,
             std::string trace) {
            self.log({static_cast<LogLevel>(level), std::move(message), std::move(request_id),
                      std::move(trace)});
          },
          py::arg("level"), py::arg("message"), py::arg("request_id"), py::arg("trace"), Unlocked())
      .def("serve", &serve, py::arg("callables"));
}

}  // namespace

void bind_workers(const py::module_& module) {
  module.attr("WORKER_FD") = ChildProcess::kDescriptor;
  py::class_<PoolHandle>(module, "WorkerPool", py::is_final())
      .def(py::init([](const EngineHandle& engine, std::string name, int workers,
                       std::vector<std::string> command, std::vector<std::string> environment,
                       std::string setup, std::size_t most_in_flight) {
             return make_pool(engine,
                              {.name = std::move(name),
                               .workers = workers,
                               .worker = {.command = {std::move(command), std::move(environment)},
                                          .setup = std::move(setup),
                                          .most_in_flight = most_in_flight}});
           }),
           py::arg("engine"), py::kw_only(), py::arg("name"), py::arg("workers"),
           py::arg("command"), py::arg("environment"), py::arg("setup"), py::arg("most_in_flight"))
      .def(
          "add",
          [](const PoolHandle& self, std::uint32_t index, std::string name,
             const std::vector<FieldSpec>& fields, bool asynchronous, bool idempotent,
             const BatchOptions& batching) {
            return add(self, std::move(name), fields,
                       {.index = index, .exclusive = !asynchronous, .idempotent = idempotent},
                       batching);
          },
          py::arg("index"), py::kw_only(), py::arg("name"), py::arg("fields"),
          py::arg("asynchronous"), py::arg("idempotent"), py::arg("batching"))
      .def_property_readonly("pids", [](const PoolHandle& self) { return self.pool->pids(); })
      .def("stop", [](const PoolHandle& self) { self.pool->stop(); }, Unlocked());
  bind_session(module);
}

}  // namespace maas
