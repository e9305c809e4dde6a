// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/salvage.h"

#include "registry/fixture.h"

#include "maas/registry/sqlite_audit.h"
#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

struct SalvageTest : testing::Test {
  SalvageTest() {
    bring_up_to_date(made, catalogue_steps(), [](int) {});
  }
  TemporaryFolder folder;
  Database made{folder / "new.db", Database::Mode::kReadWrite};
  std::vector<std::string> problems;
};

TEST_F(SalvageTest, copies_the_audit_as_it_was) {
  const Database old(folder / "old.db", Database::Mode::kReadWrite);
  bring_up_to_date(old, catalogue_steps(), [](int) {});
  append_audit(old, {.at_ms = 1, .action = "publish", .name = "a"}, "e");
  append_audit(old, {.at_ms = 2, .action = "delete", .name = "a"}, "e");
  EXPECT_EQ(salvage(folder / "old.db", folder / "new.db", problems), 2);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(verify_audit(made).head, verify_audit(old).head);
  EXPECT_EQ(read_outbox(made, 10).size(), 2U);
}

TEST_F(SalvageTest, says_what_it_could_not_read) {
  write_text(folder / "old.db", "garbage garbage garbage garbage");
  EXPECT_EQ(salvage(folder / "old.db", folder / "new.db", problems), 0);
  EXPECT_EQ(problems.size(), 1U);
}

}  // namespace
}  // namespace maas
