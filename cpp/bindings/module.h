// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "maas/base/error.h"

namespace maas {

// One function per layer or part of it, called in this order by module.cc.
void bind_base(pybind11::module_& module);
void bind_tensor(const pybind11::module_& module);
void bind_registry(pybind11::module_& module);
void bind_runtime(pybind11::module_& module);
void bind_batching(const pybind11::module_& module);
void bind_pipeline(pybind11::module_& module);
void bind_workers(const pybind11::module_& module);
void bind_server(const pybind11::module_& module);

// The Python exception of an Error: CoreError(code, http_status, message, detail).
pybind11::object make_core_error(const Error& error);

}  // namespace maas
