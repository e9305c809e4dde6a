// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "module.h"
#include <pybind11/stl.h>

namespace maas {
namespace {

namespace py = pybind11;

// Lives as long as the process, as the type it names does.
PyObject* core_error_type = nullptr;

void translate(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(std::move(thrown));
  } catch (const Error& error) {
    PyErr_SetObject(core_error_type, make_core_error(error).ptr());
  }
}

}  // namespace

py::object make_core_error(const Error& error) {
  const auto type = py::reinterpret_borrow<py::object>(core_error_type);
  return type(std::string(error_code_name(error.code())), error.http_status(), error.message(),
              error.detail());
}

void bind_base(py::module_& module) {
  core_error_type = PyErr_NewException("maas._core.CoreError", nullptr, nullptr);
  module.attr("CoreError") = py::reinterpret_borrow<py::object>(core_error_type);
  py::register_exception_translator(&translate);
  module.def("error_codes", [] {
    std::vector<std::string> names;
    names.reserve(kAllErrorCodes.size());
    for (const ErrorCode code : kAllErrorCodes) {
      names.emplace_back(error_code_name(code));
    }
    return names;
  });
}

}  // namespace maas
