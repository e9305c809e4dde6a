// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine_handle.h"
#include "module.h"
#include "python_stream.h"
#include <pybind11/stl.h>

#include "maas/server/pending_call.h"
#include "maas/server/server.h"

namespace maas {
namespace {

namespace py = pybind11;
using Unlocked = py::call_guard<py::gil_scoped_release>;

// What Python holds of a Server. The engine outlives it: members die in reverse order.
struct ServerHandle {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Server> server;
};

// An output as it is declared: by the name of its source, which an endpoint resolves.
struct NamedOutput {
  std::string source;
  OutputSpec spec;
};

Duration duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Render render_named(const std::string& name) {
  if (name == "values") {
    return Render::kValues;
  }
  if (name == "top_k") {
    return Render::kTopK;
  }
  throw Error(ErrorCode::kInvalidArgument, "unknown render '" + name + "'; use values or top_k");
}

OutputSpec resolve(const NamedOutput& output, const ServedModel& model) {
  const Signature& signature = model.model().signature();
  OutputSpec spec = output.spec;
  if (output.source.empty()) {
    if (signature.outputs.size() != 1) {
      throw Error(ErrorCode::kInvalidArgument,
                  "model '" + model.name() +
                      "' has several outputs; begin the chain with ops.output(name)");
    }
    return spec;
  }
  const auto index = signature.find_output(output.source);
  if (!index) {
    throw Error(ErrorCode::kInvalidArgument,
                "model '" + model.name() + "' has no output '" + output.source + "'");
  }
  spec.source = *index;
  return spec;
}

EndpointSpec make_endpoint(EndpointSpec spec,
                           const std::vector<std::shared_ptr<Op>>& pre,
                           const std::vector<NamedOutput>& outputs) {
  spec.pre.assign(pre.begin(), pre.end());
  for (const NamedOutput& output : outputs) {
    spec.outputs.push_back(resolve(output, *spec.model));
  }
  return spec;
}

NamedOutput make_output(std::string field,
                        std::string source,
                        const std::vector<std::shared_ptr<Op>>& ops,
                        OutputSpec spec) {
  spec.field = std::move(field);
  spec.ops.assign(ops.begin(), ops.end());
  return {std::move(source), std::move(spec)};
}

// What was served before a publication.
struct Replaced {
  std::weak_ptr<const void> catalog;
};

// The models that clients may load, and what does it when they ask.
struct Repository {
  std::vector<std::pair<std::string, int>> unloaded;
  std::optional<ModelHandle> control;
};

Catalog make_catalog(const std::vector<ModelHandle>& models,
                     std::vector<EndpointSpec> endpoints,
                     const std::vector<std::pair<std::string, ModelHandle>>& mounts,
                     const Repository& repository) {
  Catalog catalog;
  for (const ModelHandle& model : models) {
    catalog.models.push_back(model.served);
  }
  catalog.endpoints = std::move(endpoints);
  for (const auto& [path, model] : mounts) {
    catalog.mounts.push_back({path, model.served});
  }
  for (const auto& [name, version] : repository.unloaded) {
    catalog.unloaded.push_back({name, version});
  }
  catalog.control = repository.control ? repository.control->served : nullptr;
  return catalog;
}

Compression compression_named(const std::string& name) {
  if (name == "never") {
    return Compression::kNever;
  }
  if (name == "asked") {
    return Compression::kAsked;
  }
  if (name == "always") {
    return Compression::kAlways;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown compression '" + name + "'; use never, asked or always");
}

using Headers = std::vector<std::pair<std::string, std::string>>;

// What Python holds of a PendingCall. The server outlives it: members die in reverse order.
struct PendingHandle {
  ServerHandle server;
  std::shared_ptr<PendingCall> call;
  std::shared_ptr<StreamListener> listener{};  // the call keeps it weakly
};

PendingHandle begin(const ServerHandle& self,
                    std::string method,
                    std::string target,
                    Headers headers,
                    const py::bytes& body) {
  Server::Call call{std::move(method), std::move(target), std::move(headers), std::string(body)};
  const py::gil_scoped_release unlocked;
  return {self, self.server->begin(std::move(call))};
}

py::tuple written(const Server::Answer& answer) {
  return py::make_tuple(answer.status, answer.headers, py::bytes(answer.body));
}

// Status, headers and body; with `whole`, also what a stream brings.
py::tuple answer(const PendingHandle& self, bool whole) {
  Server::Answer answer;
  {
    const py::gil_scoped_release unlocked;
    answer = self.call->wait();
    for (std::string more; whole && !(more = self.call->read()).empty();) {
      answer.body += more;
    }
  }
  return written(answer);
}

// The answer if it is there. Too short to let go of the GIL for it.
std::optional<py::tuple> poll(const PendingHandle& self) {
  return self.call->done() ? std::optional(written(self.call->wait())) : std::nullopt;
}

py::bytes read(const PendingHandle& self) {
  std::string bytes;
  {
    const py::gil_scoped_release unlocked;
    bytes = self.call->read();
  }
  return py::bytes(bytes);
}

// Seconds; None when nothing limits it.
std::optional<double> remaining(const PendingHandle& self) {
  const Duration left = self.call->remaining();
  return left == Duration::max() ? std::nullopt
                                 : std::optional(std::chrono::duration<double>(left).count());
}

void bind_replaced(const py::module_& module) {
  py::class_<Replaced>(module, "Replaced", py::is_final())
      .def_property_readonly("gone", [](const Replaced& self) { return self.catalog.expired(); });
}

void bind_declarations(const py::module_& module) {
  using Ops = std::vector<std::shared_ptr<Op>>;
  py::class_<NamedOutput>(module, "Output", py::is_final())
      .def(py::init([](std::string field, std::string source, const Ops& ops,
                       const std::string& render, std::int64_t k, std::vector<std::string> labels) {
             OutputSpec spec;
             spec.render = render_named(render);
             spec.k = k;
             spec.labels = std::move(labels);
             return make_output(std::move(field), std::move(source), ops, std::move(spec));
           }),
           py::kw_only(), py::arg("field"), py::arg("source"), py::arg("ops"),
           py::arg("render") = "values", py::arg("k") = 0,
           py::arg("labels") = std::vector<std::string>{});
  py::class_<EndpointSpec>(module, "Endpoint", py::is_final())
      .def(py::init([](std::string path, const ModelHandle& model, std::vector<FieldSpec> fields,
                       double timeout_s, bool native, bool asks_origin, bool streams,
                       const Ops& pre, const std::vector<NamedOutput>& outputs,
                       std::string operation, std::string text_model, std::string text_field) {
             EndpointSpec spec;
             spec.path = std::move(path);
             spec.model = model.served;
             spec.fields = std::move(fields);
             spec.timeout = duration(timeout_s);
             spec.native = native;
             spec.asks_origin = asks_origin;
             spec.streams = streams;
             spec.operation = std::move(operation);
             spec.text_model = std::move(text_model);
             spec.text_field = std::move(text_field);
             return make_endpoint(std::move(spec), pre, outputs);
           }),
           py::arg("path"), py::kw_only(), py::arg("model"), py::arg("fields"),
           py::arg("timeout_s"), py::arg("native"), py::arg("asks_origin") = false,
           py::arg("streams") = false, py::arg("pre") = Ops{},
           py::arg("outputs") = std::vector<NamedOutput>{}, py::arg("operation") = "{}",
           py::arg("text_model") = "", py::arg("text_field") = "");
}

void bind_calls(const py::module_& module, py::class_<ServerHandle>& server) {
  server
      .def("begin", &begin, py::arg("method"), py::arg("target"), py::arg("headers"),
           py::arg("body"))
      .def(
          "handle",
          [](const ServerHandle& self, std::string method, std::string target, Headers headers,
             const py::bytes& body) {
            return answer(
                begin(self, std::move(method), std::move(target), std::move(headers), body), true);
          },
          py::arg("method"), py::arg("target"), py::arg("headers"), py::arg("body"));
  py::class_<PendingHandle>(module, "PendingCall", py::is_final())
      .def("wait", [](const PendingHandle& self) { return answer(self, false); })
      .def("read", &read)
      .def("poll", &poll)
      .def(
          "watch",
          [](PendingHandle& self, std::shared_ptr<LoopEvents> events, std::uint64_t number) {
            self.listener = listen_on(std::move(events), number);
            self.call->watch(self.listener);
          },
          py::arg("events"), py::arg("number"))
      .def("remaining", &remaining)
      .def(
          "done", [](const PendingHandle& self) { return self.call->done(); }, Unlocked())
      .def("cancel", [](const PendingHandle& self) { self.call->cancel(); }, Unlocked());
}

// Name, default, least, most, answer and text of each.
py::list limits() {
  py::list rows;
  for (const LimitField& field : limit_fields()) {
    rows.append(py::make_tuple(field.name, field.get(HttpLimits{}), field.least, field.most,
                               field.answer, field.text));
  }
  return rows;
}

void bind_publish(const py::module_& module, py::class_<ServerHandle>& server) {
  py::class_<Repository>(module, "Repository", py::is_final())
      .def(py::init([](std::vector<std::pair<std::string, int>> unloaded,
                       std::optional<ModelHandle> control) {
             return Repository{std::move(unloaded), std::move(control)};
           }),
           py::kw_only(), py::arg("unloaded") = std::vector<std::pair<std::string, int>>{},
           py::arg("control") = py::none());
  server.def(
      "publish",
      [](const ServerHandle& self, const std::vector<ModelHandle>& models,
         std::vector<EndpointSpec> endpoints,
         const std::vector<std::pair<std::string, ModelHandle>>& mounts, std::string components,
         const Repository& repository) {
        Catalog catalog = make_catalog(models, std::move(endpoints), mounts, repository);
        catalog.components = std::move(components);
        return Replaced{self.server->publish(std::move(catalog))};
      },
      py::kw_only(), py::arg("models"), py::arg("endpoints"),
      py::arg("mounts") = std::vector<std::pair<std::string, ModelHandle>>{},
      py::arg("components") = "{}", py::arg("repository") = Repository{}, Unlocked());
}

void bind_lifecycle(py::class_<ServerHandle>& server) {
  server.def_property_readonly("port", [](const ServerHandle& self) { return self.server->port(); })
      .def(
          "start", [](const ServerHandle& self) { self.server->start(); }, Unlocked())
      .def(
          "drain",
          [](const ServerHandle& self, double timeout_s) {
            return self.server->drain(duration(timeout_s));
          },
          py::arg("timeout_s"), Unlocked())
      .def(
          "stop", [](const ServerHandle& self) { self.server->stop(); }, Unlocked())
      .def(
          "set_unready",
          [](const ServerHandle& self, std::string reason) {
            self.server->set_unready(std::move(reason));
          },
          py::arg("reason"), Unlocked());
}

}  // namespace

void bind_server(const py::module_& module) {
  bind_replaced(module);
  py::module_(module).def("limits", &limits);
  bind_declarations(module);
  py::class_<ServerHandle> server(module, "Server", py::is_final());
  server.def(
      py::init([](const EngineHandle& engine, std::string host, int port,
                  const std::map<std::string, double>& limits, double request_timeout_s,
                  std::vector<std::string> allowed_hosts, std::vector<std::string> cors_origins,
                  bool make_traces, std::string access_log, bool access_log_json,
                  const std::string& compression, std::size_t compress_min_bytes,
                  std::string docs_page, std::string title) {
        ServerOptions options;
        options.host = std::move(host);
        options.port = port;
        for (const auto& [name, value] : limits) {
          set_limit(options.limits, name, value);
        }
        options.request_timeout = duration(request_timeout_s);
        options.allowed_hosts = std::move(allowed_hosts);
        options.cors_origins = std::move(cors_origins);
        options.make_traces = make_traces;
        options.access_log = std::move(access_log);
        options.access_log_json = access_log_json;
        options.compression = {compression_named(compression), compress_min_bytes};
        options.docs_page = std::move(docs_page);
        options.title = std::move(title);
        options.version = MAAS_VERSION;
        return ServerHandle{engine.engine,
                            {new Server(*engine.engine, std::move(options)), DeleteWithoutGil{}}};
      }),
      py::arg("engine"), py::kw_only(), py::arg("host") = "127.0.0.1", py::arg("port") = 8000,
      py::arg("limits") = std::map<std::string, double>{}, py::arg("request_timeout_s") = 30.0,
      py::arg("allowed_hosts") = std::vector<std::string>{},
      py::arg("cors_origins") = std::vector<std::string>{}, py::arg("make_traces") = false,
      py::arg("access_log") = "", py::arg("access_log_json") = false,
      py::arg("compression") = "asked",
      py::arg("compress_min_bytes") = CompressionPolicy{}.min_bytes, py::arg("docs_page") = "",
      py::arg("title") = "maas");
  bind_publish(module, server);
  bind_lifecycle(server);
  bind_calls(module, server);
}

}  // namespace maas
