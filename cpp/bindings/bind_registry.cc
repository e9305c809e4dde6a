// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "module.h"
#include "registry_rows.h"
#include <pybind11/stl.h>

#include "maas/registry/store.h"

namespace maas {
namespace {

namespace py = pybind11;
using Unlocked = py::call_guard<py::gil_scoped_release>;

// Calls without the GIL, then makes Python objects with it.
template <typename Call>
auto converted(const Call& call) {
  const auto result = [&] {
    const py::gil_scoped_release unlocked;
    return call();
  }();
  return to_python(result);
}

std::pair<std::string, std::int64_t> pair_of(const BlobRef& blob) {
  return {blob.digest, blob.size};
}

void bind_changes(py::class_<Store, std::shared_ptr<Store>>& store) {
  store
      .def(
          "publish",
          [](Store& self, std::string name, std::string manifest, const std::string& state,
             std::string reason, const Actor& actor) {
            return converted([&] {
              return self.publish(
                  {std::move(name), std::move(manifest), parse_state(state), std::move(reason)},
                  actor);
            });
          },
          py::arg("name"), py::kw_only(), py::arg("manifest"), py::arg("state"), py::arg("reason"),
          py::arg("actor"))
      .def(
          "move_alias",
          [](Store& self, std::string name, std::string alias, std::int64_t version,
             std::optional<std::int64_t> expect, const Actor& actor) {
            return converted([&] {
              return self.move_alias({std::move(name), std::move(alias), version, expect}, actor);
            });
          },
          py::arg("name"), py::arg("alias"), py::arg("version"), py::kw_only(), py::arg("expect"),
          py::arg("actor"))
      .def(
          "roll_back",
          [](Store& self, std::string name, std::string alias, std::optional<std::int64_t> expect,
             const Actor& actor) {
            return converted([&] {
              return self.roll_back({std::move(name), std::move(alias), 0, expect}, actor);
            });
          },
          py::arg("name"), py::arg("alias"), py::kw_only(), py::arg("expect"), py::arg("actor"))
      .def(
          "remove",
          [](Store& self, const std::string& name, std::int64_t version, const Actor& actor) {
            return converted([&] { return self.remove(name, version, actor); });
          },
          py::arg("name"), py::arg("version"), py::kw_only(), py::arg("actor"))
      .def(
          "annotate",
          [](Store& self, std::string name, std::int64_t version,
             std::optional<std::string> description, Tags tags, std::vector<std::string> removed,
             const Actor& actor) {
            self.annotate({std::move(name), version, std::move(description), std::move(tags),
                           std::move(removed)},
                          actor);
          },
          py::arg("name"), py::arg("version"), py::kw_only(), py::arg("description"),
          py::arg("tags"), py::arg("removed"), py::arg("actor"), Unlocked());
}

void bind_questions(py::class_<Store, std::shared_ptr<Store>>& store) {
  store
      .def(
          "find",
          [](Store& self, const std::string& reference) {
            return converted([&] { return self.find(parse_reference(reference)); });
          },
          py::arg("reference"))
      .def(
          "manifest",
          [](Store& self, const std::string& name, std::int64_t version) {
            return self.manifest(self.find({.name = name, .version = version}));
          },
          py::arg("name"), py::arg("version"), Unlocked())
      .def(
          "verify",
          [](Store& self, const std::string& name, std::int64_t version) {
            self.verify(self.find({.name = name, .version = version}));
          },
          py::arg("name"), py::arg("version"), Unlocked())
      .def(
          "model",
          [](Store& self, const std::string& name) -> py::object {
            const auto found = self.catalogue().model(name);
            return found ? py::object(to_python(*found)) : py::none();
          },
          py::arg("name"))
      .def(
          "models",
          [](Store& self, const std::string& after, std::size_t limit) {
            return converted([&] { return self.catalogue().models(after, limit); });
          },
          py::arg("after"), py::arg("limit"))
      .def(
          "search",
          [](Store& self, const std::string& filter, const std::string& after, std::size_t limit) {
            return converted(
                [&] { return self.catalogue().search(parse_filter(filter), after, limit); });
          },
          py::arg("filter"), py::arg("after"), py::arg("limit"));
}

void bind_logs(py::class_<Store, std::shared_ptr<Store>>& store) {
  store
      .def(
          "history",
          [](Store& self, const std::string& name, const std::string& alias, std::size_t limit) {
            return converted([&] { return self.catalogue().history(name, alias, limit); });
          },
          py::arg("name"), py::arg("alias"), py::arg("limit"))
      .def(
          "audit",
          [](Store& self, const std::string& name, std::int64_t after, std::size_t limit) {
            return converted([&] { return self.catalogue().audit(name, after, limit); });
          },
          py::arg("name"), py::arg("after"), py::arg("limit"))
      .def(
          "verify_audit",
          [](Store& self) {
            AuditCheck check = self.catalogue().verify_audit();
            return std::make_tuple(check.rows, std::move(check.head), std::move(check.problem));
          },
          Unlocked())
      .def(
          "outbox",
          [](Store& self, std::size_t limit) {
            return converted([&] { return self.catalogue().outbox(limit); });
          },
          py::arg("limit"))
      .def(
          "mark_delivered",
          [](Store& self, std::int64_t id) { self.catalogue().mark_delivered(id); }, py::arg("id"),
          Unlocked());
}

void bind_bytes(const py::module_& module, py::class_<Store, std::shared_ptr<Store>>& store) {
  py::class_<BlobWriter>(module, "BlobWriter", py::is_final())
      .def(
          "write",
          [](BlobWriter& self, const py::bytes& bytes) {
            const std::string_view view(bytes);
            const py::gil_scoped_release unlocked;
            self.write(view);
          },
          py::arg("bytes"))
      .def(
          "finish",
          [](BlobWriter& self, const std::string& expected) {
            return pair_of(self.finish(expected));
          },
          py::arg("expected") = "", Unlocked());
  store
      .def(
          "put_file",
          [](Store& self, const std::string& path) { return pair_of(self.blobs().put_file(path)); },
          py::arg("path"), Unlocked())
      .def(
          "writer", [](Store& self) { return std::make_unique<BlobWriter>(self.blobs()); },
          py::keep_alive<0, 1>())
      .def(
          "blob_path",
          [](Store& self, const std::string& digest) {
            return self.blobs().path_of(digest).string();
          },
          py::arg("digest"));
}

void bind_upkeep(py::module_& module, py::class_<Store, std::shared_ptr<Store>>& store) {
  py::class_<Lease>(module, "Lease", py::is_final())
      .def_property_readonly("held", &Lease::is_held)
      .def("give_back", &Lease::give_back);
  store
      .def(
          "lease",
          [](Store& self, const std::string& name, std::int64_t version) {
            return self.lease(name, version);
          },
          py::arg("name"), py::arg("version"), Unlocked())
      .def(
          "fsck",
          [](Store& self, bool quick) { return converted([&] { return fsck(self, quick); }); },
          py::arg("quick"))
      .def(
          "collect",
          [](Store& self, std::int64_t grace_ms, bool dry_run) {
            return converted(
                [&] { return collect(self, {std::chrono::milliseconds(grace_ms), dry_run}); });
          },
          py::kw_only(), py::arg("grace_ms"), py::arg("dry_run"))
      .def(
          "back_up",
          [](Store& self, const std::string& folder) {
            return converted([&] { return back_up(self, folder); });
          },
          py::arg("folder"));
  module.def(
      "recover_store",
      [](const std::string& folder, const Actor& actor) {
        return converted([&] { return recover({.folder = folder}, actor); });
      },
      py::arg("folder"), py::kw_only(), py::arg("actor"));
}

}  // namespace

void bind_registry(py::module_& module) {
  py::class_<Actor>(module, "Actor", py::is_final())
      .def(py::init([](std::string who, std::string request_id) {
             return Actor{std::move(who), std::move(request_id)};
           }),
           py::kw_only(), py::arg("who"), py::arg("request_id") = "");
  py::class_<Store, std::shared_ptr<Store>> store(module, "Store", py::is_final());
  store
      .def(py::init([](const std::string& folder, bool read_only, bool create) {
             const py::gil_scoped_release unlocked;
             return std::make_shared<Store>(
                 StoreOptions{.folder = folder, .read_only = read_only, .create = create});
           }),
           py::arg("folder"), py::kw_only(), py::arg("read_only") = false, py::arg("create") = true)
      .def_property_readonly("read_only", &Store::is_read_only);
  bind_changes(store);
  bind_questions(store);
  bind_logs(store);
  bind_bytes(module, store);
  bind_upkeep(module, store);
}

}  // namespace maas
