// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "caller.h"
#include "engine_handle.h"
#include "module.h"
#include "python_model.h"
#include "python_stream.h"
#include <pybind11/stl.h>

#include "maas/batching/call.h"
#include "maas/runtime/backends.h"
#include "maas/workers/remote_model.h"

namespace maas {
namespace {

namespace py = pybind11;
using Unlocked = py::call_guard<py::gil_scoped_release>;

Duration duration(double seconds) {
  constexpr double kLongest = 1e9;  // 30 years: beyond it, never
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(seconds, kLongest)));
}

using Fills = std::map<std::string, double>;

BatchPolicy policy_named(const std::string& name) {
  if (name == "eager") {
    return BatchPolicy::kEager;
  }
  if (name == "window") {
    return BatchPolicy::kWindow;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown batch_policy '" + name + "'; use eager or window");
}

OnBatchError on_error_named(const std::string& name) {
  if (name == "split") {
    return OnBatchError::kSplit;
  }
  if (name == "fail") {
    return OnBatchError::kFail;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown on_batch_error '" + name + "'; use split or fail");
}

std::vector<PadInput> pad_inputs(const Fills& fills) {
  std::vector<PadInput> pad;
  for (const auto& [input, value] : fills) {
    pad.push_back({input, value});
  }
  return pad;
}

LogSink make_sink(const std::optional<py::object>& log) {
  if (!log || log->is_none()) {
    return {};
  }
  return [handle = PyHandle(*log)](const LogRecord& record) {
    if (interpreter_is_finalizing()) {
      return;
    }
    const py::gil_scoped_acquire gil;
    try {
      handle.get()(static_cast<int>(record.level), record.message, record.request_id, record.trace);
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("maas log");
    }
  };
}

EngineHandle make_engine(const BudgetRequest& request,
                         std::size_t max_held_bytes,
                         bool manual_clock,
                         const std::optional<py::object>& log) {
  EngineHandle handle;
  std::shared_ptr<Clock> clock = std::make_shared<SystemClock>();
  if (manual_clock) {
    handle.manual = std::make_shared<ManualClock>();
    clock = handle.manual;
  }
  const CoreBudget budget = plan_cores(request, available_cores());
  handle.engine = {new Engine(budget, std::move(clock), make_sink(log), max_held_bytes),
                   DeleteWithoutGil{}};
  return handle;
}

struct LoadOptions {
  std::string name;
  int version;
  std::optional<std::vector<TensorSpec>> inputs;
  std::optional<std::vector<TensorSpec>> outputs;
  bool batch_dim;
};

ModelHandle load(const EngineHandle& self,
                 std::string path,
                 LoadOptions options,
                 BatchOptions batching) {
  ModelSource source{std::move(path), Signature{}};
  source.declared->inputs = std::move(options.inputs).value_or(std::vector<TensorSpec>{});
  source.declared->outputs = std::move(options.outputs).value_or(std::vector<TensorSpec>{});
  source.declared->batch_dim = options.batch_dim;
  if (batching.executors == 0) {
    batching.executors = self.engine->budget().executors;
  }
  return {self.engine, self.engine->serve({std::move(options.name), options.version},
                                          load_model(source), batching)};
}

ModelHandle add_callable(const EngineHandle& self,
                         PythonModel::Options options,
                         PyHandle function,
                         std::string name,
                         const BatchOptions& batching) {
  const int threads = options.asynchronous ? 1 : batching.executors;
  options.log = self.engine->log();
  options.clock = self.engine->clock();
  auto model = std::make_shared<PythonModel>(std::move(function), std::move(options));
  return {self.engine,
          self.engine->serve_apart({std::move(name), 1}, std::move(model), batching, threads)};
}

// On behalf of the requests that `caller` tells, or those whose handler runs on this thread.
Caller caller_of(const ModelHandle& self,
                 double timeout_s,
                 const CallerHandle* given,
                 std::uint64_t local_call) {
  const Clock& clock = *self.engine->clock();
  const RunningItems running = given != nullptr ? given->running() : RunningItems::current();
  const Deadline deadline = Deadline::after(clock, duration(timeout_s));
  Caller caller = Caller::of(running.items, deadline);
  caller.local_call = local_call;
  if (running.clock != nullptr && !clock.agrees_with(*running.clock)) {
    caller.deadline = deadline;  // a test holds the clock of its server, and not that of the model
  }
  return caller;
}

std::vector<Tensor> run(const ModelHandle& self,
                        std::vector<Tensor> inputs,
                        double timeout_s,
                        const CallerHandle* caller,
                        std::uint64_t local_call) {
  return call(self.served->batcher(), std::move(inputs), *self.engine->clock(),
              caller_of(self, timeout_s, caller, local_call))
      .value()
      .outputs;
}

void tell(const py::object& done, const Result<Reply>& reply) {
  try {
    if (reply) {
      done(py::cast(reply->outputs), py::none());
    } else {
      done(py::none(), make_core_error(reply.error()));
    }
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("maas done");
  }
}

void submit(const ModelHandle& self,
            std::vector<Tensor> inputs,
            const Caller& caller,
            PyHandle done) {
  call_async(self.served->batcher(), std::move(inputs), caller,
             [done = std::move(done)](const Result<Reply>& reply) {
               if (interpreter_is_finalizing()) {
                 return;
               }
               const py::gil_scoped_acquire gil;
               tell(done.get(), reply);
             });
}

py::dict histogram(const Histogram& histogram) {
  const Histogram::Reading reading = histogram.read();
  py::dict out;
  out["count"] = reading.total;
  out["sum"] = reading.sum;
  out["mean"] = reading.total == 0 ? 0.0 : reading.sum / static_cast<double>(reading.total);
  return out;
}

py::dict workers(const RemoteModel& model) {
  const WorkerStats& stats = model.pool().stats();
  py::dict out;
  out["live"] = stats.live.value();
  out["starts"] = stats.starts.value();
  out["deaths"] = stats.deaths.value();
  out["retries"] = stats.retries.value();
  out["unavailable"] = model.pool().unavailable().has_value();
  out["pids"] = model.pool().pids();
  return out;
}

py::dict statistics(const ModelHandle& self) {
  const ModelStats& stats = self.served->batcher().stats();
  py::dict errors;
  for (const ErrorCode code : kAllErrorCodes) {
    if (const auto count = stats.errors[static_cast<std::size_t>(code)].value(); count > 0) {
      errors[py::str(std::string(error_code_name(code)))] = count;
    }
  }
  py::dict out;
  out["requests"] = stats.requests.value();
  out["streams"] = stats.streams.value();
  out["stream_items"] = stats.stream_items.value();
  out["errors"] = errors;
  out["in_flight"] = stats.in_flight.value();
  out["queued"] = stats.queued.value();
  out["queue_seconds"] = histogram(stats.queue_seconds);
  out["batch_seconds"] = histogram(stats.batch_seconds);
  out["compute_seconds"] = histogram(stats.compute_seconds);
  out["total_seconds"] = histogram(stats.total_seconds);
  out["batch_rows"] = histogram(stats.batch_rows);
  if (const auto* remote = dynamic_cast<const RemoteModel*>(&self.served->model())) {
    out["workers"] = workers(*remote);
  }
  return out;
}

void bind_serving(py::class_<EngineHandle>& engine) {
  engine
      .def(
          "load_model",
          [](const EngineHandle& self, std::string path, std::string name, int version,
             std::optional<std::vector<TensorSpec>> inputs,
             std::optional<std::vector<TensorSpec>> outputs, bool batch_dim,
             const BatchOptions& batching) {
            return load(
                self, std::move(path),
                {std::move(name), version, std::move(inputs), std::move(outputs), batch_dim},
                batching);
          },
          py::arg("path"), py::kw_only(), py::arg("name"), py::arg("version"), py::arg("inputs"),
          py::arg("outputs"), py::arg("batch_dim"), py::arg("batching"), Unlocked())
      .def(
          "add_callable",
          [](const EngineHandle& self, py::object function, std::string name,
             std::vector<FieldSpec> fields, bool asynchronous, bool contexts, bool streaming,
             bool heads, const BatchOptions& batching) {
            return add_callable(
                self, {std::move(fields), asynchronous, contexts, streaming, heads, {}, {}},
                PyHandle(std::move(function)), std::move(name), batching);
          },
          py::arg("function"), py::kw_only(), py::arg("name"), py::arg("fields"),
          py::arg("asynchronous"), py::arg("contexts"), py::arg("streaming"),
          py::arg("heads") = false, py::arg("batching"));
}

void bind_engine(const py::module_& module) {
  py::class_<EngineHandle> engine(module, "Engine", py::is_final());
  engine
      .def(py::init([](int cores, int io_threads, int executors, int intra_op_threads,
                       std::size_t max_held_bytes, bool manual_clock,
                       const std::optional<py::object>& log) {
             return make_engine({cores, io_threads, executors, intra_op_threads}, max_held_bytes,
                                manual_clock, log);
           }),
           py::kw_only(), py::arg("cores") = 0, py::arg("io_threads") = 0, py::arg("executors") = 0,
           py::arg("intra_op_threads") = 0, py::arg("max_held_bytes") = Engine::kDefaultHeldBytes,
           py::arg("manual_clock") = false, py::arg("log") = py::none())
      .def_property_readonly(
          "budget", [](const EngineHandle& self) { return self.engine->budget().describe(); })
      .def(
          "advance",
          [](const EngineHandle& self, double seconds) {
            if (!self.manual) {
              throw Error(ErrorCode::kInvalidArgument,
                          "only an engine made with manual_clock=True can be advanced");
            }
            self.manual->advance(duration(seconds));
          },
          py::arg("seconds"), Unlocked())
      .def(
          "settle",
          [](const EngineHandle& self, double patience_s) {
            return self.engine->settle(
                std::chrono::duration_cast<std::chrono::milliseconds>(duration(patience_s)));
          },
          py::arg("patience_s"), Unlocked())
      .def(
          "close",
          [](const EngineHandle& self, double timeout_s) {
            return self.engine->close(Deadline::after(*self.engine->clock(), duration(timeout_s)));
          },
          py::arg("timeout_s") = 5.0, Unlocked());
  bind_serving(engine);
}

void bind_model(const py::module_& module) {
  py::class_<ModelHandle>(module, "Model", py::is_final())
      .def_property_readonly("name", [](const ModelHandle& self) { return self.served->name(); })
      .def_property_readonly("version",
                             [](const ModelHandle& self) { return self.served->version(); })
      .def_property_readonly(
          "platform",
          [](const ModelHandle& self) { return std::string(self.served->model().platform()); })
      .def_property_readonly(
          "inputs", [](const ModelHandle& self) { return self.served->model().signature().inputs; })
      .def_property_readonly(
          "outputs",
          [](const ModelHandle& self) { return self.served->model().signature().outputs; })
      .def_property_readonly(
          "batch_dim",
          [](const ModelHandle& self) { return self.served->model().signature().batch_dim; })
      .def_property_readonly(
          "max_batch_size",
          [](const ModelHandle& self) { return self.served->batcher().options().max_batch_size; })
      .def("run", &run, py::arg("inputs"), py::arg("timeout_s"), py::arg("caller") = py::none(),
           py::arg("local_call") = 0, Unlocked())
      .def(
          "submit",
          [](const ModelHandle& self, std::vector<Tensor> inputs, double timeout_s, py::object done,
             const CallerHandle* caller, std::uint64_t local_call) {
            PyHandle handle(std::move(done));
            const py::gil_scoped_release unlocked;
            submit(self, std::move(inputs), caller_of(self, timeout_s, caller, local_call),
                   std::move(handle));
          },
          py::arg("inputs"), py::arg("timeout_s"), py::arg("done"), py::arg("caller") = py::none(),
          py::arg("local_call") = 0)
      .def("statistics", &statistics);
}

}  // namespace

void bind_batching(const py::module_& module) {
  py::class_<BatchOptions>(module, "BatchOptions", py::is_final())
      .def(py::init([](std::int64_t max_batch_size, double batch_timeout_ms,
                       std::size_t max_queue_size, int executors, const std::string& batch_policy,
                       const std::string& on_batch_error, const Fills& pad, std::string mask,
                       std::int64_t max_batch_tokens, double weight) {
             return BatchOptions{.max_batch_size = max_batch_size,
                                 .batch_timeout = duration(batch_timeout_ms / 1e3),
                                 .max_queue_size = max_queue_size,
                                 .executors = executors,
                                 .policy = policy_named(batch_policy),
                                 .on_error = on_error_named(on_batch_error),
                                 .pad = pad_inputs(pad),
                                 .mask = std::move(mask),
                                 .max_batch_tokens = max_batch_tokens,
                                 .weight = weight};
           }),
           py::kw_only(), py::arg("max_batch_size") = 1, py::arg("batch_timeout_ms") = 0.0,
           py::arg("max_queue_size") = 1024, py::arg("executors") = 0,
           py::arg("batch_policy") = "eager", py::arg("on_batch_error") = "split",
           py::arg("pad") = Fills{}, py::arg("mask") = "", py::arg("max_batch_tokens") = 0,
           py::arg("weight") = 1.0);
  py::class_<FieldSpec>(module, "Field", py::is_final())
      .def(py::init([](std::string name, const std::string& dtype,
                       const std::vector<std::int64_t>& shape, bool required,
                       std::vector<std::string> media) {
             return FieldSpec{
                 std::move(name),
                 dtype.empty() ? std::nullopt : std::optional(parse_numpy_dtype(dtype)),
                 Shape(shape), required, std::move(media)};
           }),
           py::arg("name"), py::kw_only(), py::arg("dtype") = "",
           py::arg("shape") = std::vector<std::int64_t>{}, py::arg("required") = true,
           py::arg("media") = std::vector<std::string>{});
  bind_python_model(module);
  bind_python_stream(module);
  bind_model(module);
  bind_engine(module);
}

}  // namespace maas
