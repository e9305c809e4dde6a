// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/rows.h"

#include "registry/fixture.h"

namespace maas {
namespace {

TEST(Rows, a_state_comes_back_from_its_name) {
  for (const auto state : {VersionState::kReady, VersionState::kFailed, VersionState::kDeleted}) {
    EXPECT_EQ(parse_state(state_name(state)), state);
  }
  EXPECT_EQ(code_of([] { (void)parse_state("ready"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
