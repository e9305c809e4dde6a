// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/rows.h"

#include "maas/base/error.h"

namespace maas {

std::string_view state_name(VersionState state) noexcept {
  switch (state) {
    case VersionState::kReady: return "READY";
    case VersionState::kFailed: return "FAILED";
    case VersionState::kDeleted: return "DELETED";
  }
  return "";
}

VersionState parse_state(std::string_view name) {
  for (const VersionState state :
       {VersionState::kReady, VersionState::kFailed, VersionState::kDeleted}) {
    if (state_name(state) == name) {
      return state;
    }
  }
  throw Error(ErrorCode::kInvalidArgument,
              "'" + std::string(name) + "' is no state; READY, FAILED and DELETED are");
}

}  // namespace maas
