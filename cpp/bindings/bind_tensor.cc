// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "module.h"
#include <pybind11/stl.h>

#include "maas/server/tensor_writer.h"
#include "maas/tensor/cast.h"
#include "maas/tensor/dlpack.h"
#include "maas/tensor/tensor.h"

namespace maas {
namespace {

namespace py = pybind11;

constexpr const char* kOld = "dltensor";
constexpr const char* kNew = "dltensor_versioned";

// A capsule that nobody took still owns its array.
template <typename M>
void drop_capsule(PyObject* capsule, const char* name) {
  if (PyCapsule_IsValid(capsule, name) != 0) {
    auto* managed = static_cast<M*>(PyCapsule_GetPointer(capsule, name));
    managed->deleter(managed);
  }
}

py::object to_capsule(const Tensor& tensor, const std::optional<std::pair<int, int>>& version) {
  PyObject* capsule = nullptr;
  if (version && version->first >= 1) {
    capsule = PyCapsule_New(dlpack::export_versioned(tensor), kNew, [](PyObject* self) {
      drop_capsule<dlpack::ManagedVersioned>(self, kNew);
    });
  } else {
    capsule = PyCapsule_New(dlpack::export_tensor(tensor), kOld,
                            [](PyObject* self) { drop_capsule<dlpack::Managed>(self, kOld); });
  }
  return py::reinterpret_steal<py::object>(capsule);
}

// Producers older than DLPack 1.0 do not know max_version.
py::object ask_for_capsule(const py::object& array) {
  try {
    return array.attr("__dlpack__")(py::arg("max_version") = py::make_tuple(1, 0));
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError)) {
      throw;
    }
    return array.attr("__dlpack__")();
  }
}

Tensor from_dlpack(const py::object& array) {
  if (!py::hasattr(array, "__dlpack__")) {
    throw Error(ErrorCode::kInvalidArgument,
                "expected an array (numpy, torch: anything with __dlpack__), got " +
                    std::string(py::str(py::type::of(array).attr("__name__"))));
  }
  const py::object capsule = ask_for_capsule(array);
  if (PyCapsule_IsValid(capsule.ptr(), kNew) != 0) {
    auto* managed =
        static_cast<dlpack::ManagedVersioned*>(PyCapsule_GetPointer(capsule.ptr(), kNew));
    PyCapsule_SetName(capsule.ptr(), "used_dltensor_versioned");
    return dlpack::import_versioned(managed);
  }
  auto* managed = static_cast<dlpack::Managed*>(PyCapsule_GetPointer(capsule.ptr(), kOld));
  if (managed == nullptr) {
    throw py::error_already_set();
  }
  PyCapsule_SetName(capsule.ptr(), "used_dltensor");
  return dlpack::import_tensor(managed);
}

py::tuple shape_of(const Tensor& tensor) {
  py::tuple shape(tensor.shape().rank());
  for (std::size_t axis = 0; axis < tensor.shape().rank(); ++axis) {
    shape[axis] = tensor.shape()[axis];
  }
  return shape;
}

py::list strings_of(const Tensor& tensor) {
  if (tensor.dtype() != DType::kBytes) {
    throw Error(ErrorCode::kInvalidArgument, "only a tensor of bytes has strings");
  }
  py::list values(tensor.elements());
  for (std::size_t i = 0; i < tensor.elements(); ++i) {
    values[i] = py::bytes(tensor.strings()[i]);
  }
  return values;
}

py::bytes to_json(const Tensor& tensor) {
  const bool half = tensor.dtype() == DType::kFloat16 || tensor.dtype() == DType::kBfloat16;
  std::string json;
  const WriteFault fault = append_nested(json, half ? to_float32(tensor) : tensor, tensor.shape());
  if (fault != WriteFault::kNone) {
    throw Error(ErrorCode::kInternal, "the array " + std::string(explain(fault)));
  }
  return json;
}

}  // namespace

void bind_tensor(const py::module_& module) {
  py::class_<Tensor>(module, "Tensor", py::is_final())
      .def_static("from_dlpack", &from_dlpack, py::arg("array"))
      .def_static("absent", [] { return Tensor(); })
      .def_static(
          "from_strings",
          [](std::vector<py::bytes> values, const std::vector<std::int64_t>& shape) {
            return Tensor::from_strings({values.begin(), values.end()}, Shape(shape));
          },
          py::arg("values"), py::arg("shape"))
      .def_property_readonly(
          "dtype", [](const Tensor& self) { return std::string(numpy_name(self.dtype())); })
      .def_property_readonly("shape", &shape_of)
      .def("strings", &strings_of)
      .def("to_json", &to_json)
      .def(
          "__dlpack__",
          [](const Tensor& self, const py::object&, std::optional<std::pair<int, int>> max_version,
             const py::object&, const py::object&) { return to_capsule(self, max_version); },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", [](const Tensor&) { return py::make_tuple(dlpack::kCpu, 0); });
}

}  // namespace maas
