// SPDX-License-Identifier: Apache-2.0
#include "module.h"

PYBIND11_MODULE(_core, module) {
  module.attr("__version__") = MAAS_VERSION;
  maas::bind_base(module);
  maas::bind_tensor(module);
  maas::bind_registry(module);
  maas::bind_runtime(module);
  maas::bind_batching(module);
  maas::bind_pipeline(module);
  maas::bind_workers(module);
  maas::bind_server(module);
}
