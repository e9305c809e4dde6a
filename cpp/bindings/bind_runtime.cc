// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "module.h"
#include <pybind11/stl.h>

#include "maas/runtime/ops.h"
#include "maas/runtime/signature.h"

namespace maas {
namespace {

namespace py = pybind11;

using Dims = std::vector<std::int64_t>;

std::optional<Dims> dims_of(const TensorSpec& spec) {
  if (!spec.row) {
    return std::nullopt;
  }
  return Dims(spec.row->dims().begin(), spec.row->dims().end());
}

Tensor apply(const Op& op, const Tensor& x, const std::map<std::string, Tensor>& context) {
  return op.apply(x, [&](std::string_view name) -> const Tensor* {
    const auto found = context.find(std::string(name));
    return found == context.end() ? nullptr : &found->second;
  });
}

void bind_tensor_spec(const py::module_& module) {
  py::class_<TensorSpec>(module, "TensorSpec", py::is_final())
      .def(py::init([](std::string name, const std::string& dtype, const std::optional<Dims>& shape,
                       bool optional, bool shape_tensor, std::vector<std::string> labels) {
             return TensorSpec{std::move(name),
                               parse_numpy_dtype(dtype),
                               shape ? std::optional(Shape(*shape)) : std::nullopt,
                               optional,
                               shape_tensor,
                               std::move(labels)};
           }),
           py::arg("name"), py::arg("dtype"), py::arg("shape"), py::kw_only(),
           py::arg("optional") = false, py::arg("shape_tensor") = false,
           py::arg("labels") = std::vector<std::string>{})
      .def_readonly("name", &TensorSpec::name)
      .def_readonly("optional", &TensorSpec::optional)
      .def_readonly("shape_tensor", &TensorSpec::shape_tensor)
      .def_property_readonly(
          "dtype", [](const TensorSpec& self) { return std::string(numpy_name(self.dtype)); })
      .def_property_readonly("shape", &dims_of);
}

// The core shares ops as pointers to const; pybind11 keeps holders of non-const.
void bind_op(const py::module_& module) {
  py::class_<Op, std::shared_ptr<Op>>(module, "Op", py::is_final())
      .def_static(
          "scale",
          [](float factor, float shift) {
            return std::const_pointer_cast<Op>(ops::scale(factor, shift));
          },
          py::arg("factor"), py::arg("shift") = 0.0F)
      .def_static(
          "normalise",
          [](std::vector<float> mean, std::vector<float> std, float factor) {
            return std::const_pointer_cast<Op>(
                ops::normalise(std::move(mean), std::move(std), factor));
          },
          py::arg("mean"), py::arg("std"), py::arg("factor"))
      .def_static("softmax", [] { return std::const_pointer_cast<Op>(ops::softmax()); })
      .def_static("argmax", [] { return std::const_pointer_cast<Op>(ops::argmax()); })
      .def_static("l2_normalise", [] { return std::const_pointer_cast<Op>(ops::l2_normalise()); })
      .def_static(
          "mean_pool",
          [](std::string mask) {
            return std::const_pointer_cast<Op>(ops::mean_pool(std::move(mask)));
          },
          py::arg("mask"))
      .def_property_readonly("name", [](const Op& self) { return std::string(self.name()); })
      .def("__call__", &apply, py::arg("x"), py::arg("context") = std::map<std::string, Tensor>{});
}

}  // namespace

void bind_runtime(py::module_& module) {
  bind_tensor_spec(module);
  bind_op(module);
  module.def(
      "top_k",
      [](const Tensor& x, std::int64_t k) {
        TopKResult result = top_k(x, k);
        return std::make_pair(std::move(result.values), std::move(result.indices));
      },
      py::arg("x"), py::arg("k"));
}

}  // namespace maas
