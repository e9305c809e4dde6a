// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "maas/registry/collection.h"
#include "maas/registry/fsck.h"
#include "maas/registry/recovery.h"
#include "maas/registry/rows.h"

namespace maas {

// What a registry tells, as dictionaries whose keys are the names of the members. REQUIRES: the GIL
pybind11::dict to_python(const VersionRow& row);
pybind11::dict to_python(const ModelRow& row);
pybind11::dict to_python(const AliasMove& move);
pybind11::dict to_python(const AuditRow& row);
pybind11::dict to_python(const OutboxRow& row);
pybind11::dict to_python(const FsckReport& report);
pybind11::dict to_python(const CollectReport& report);
pybind11::dict to_python(const RecoverReport& report);
pybind11::dict to_python(const BackupReport& report);

template <typename Row>
pybind11::list to_python(const std::vector<Row>& rows) {
  pybind11::list made;
  for (const Row& row : rows) {
    made.append(to_python(row));
  }
  return made;
}

template <typename Row>
pybind11::tuple to_python(const Page<Row>& page) {
  return pybind11::make_tuple(to_python(page.items), page.next);
}

}  // namespace maas
