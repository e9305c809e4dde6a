// SPDX-License-Identifier: Apache-2.0
#include "failure.h"

#include <string>
#include <string_view>

namespace maas {
namespace {

namespace py = pybind11;

ErrorCode code_named(std::string_view name) {
  for (const ErrorCode code : kAllErrorCodes) {
    if (error_code_name(code) == name) {
      return code;
    }
  }
  return ErrorCode::kInternal;
}

}  // namespace

Error read_failure(const py::tuple& parts) {
  Error error(code_named(py::cast<std::string>(parts[0])), py::cast<std::string>(parts[2]),
              py::cast<std::string>(parts[3]));
  error.with_http_status(py::cast<int>(parts[1]));
  return parts.size() > 4 && py::cast<bool>(parts[4]) ? error.as_shared() : error;
}

}  // namespace maas
