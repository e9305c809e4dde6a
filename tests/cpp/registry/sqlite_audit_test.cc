// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_audit.h"

#include "registry/fixture.h"

#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

struct AuditTest : testing::Test {
  AuditTest() {
    bring_up_to_date(database, catalogue_steps(), [](int) {});
    for (int i = 1; i <= 3; ++i) {
      append_audit(database, {.at_ms = i, .who = "ann", .action = "publish", .name = "a"}, "e");
    }
  }
  // As somebody would who has the file.
  std::string problem_after(const std::string& sql) {
    database.run_script("DROP TRIGGER audit_is_append_only_1; DROP TRIGGER audit_is_append_only_2");
    database.run_script(sql);
    return verify_audit(database).problem;
  }
  TemporaryFolder folder;
  Database database{folder / "a.db", Database::Mode::kReadWrite};
};

TEST_F(AuditTest, a_whole_chain_is_well) {
  const AuditCheck check = verify_audit(database);
  EXPECT_EQ(check.rows, 3);
  EXPECT_EQ(check.problem, "");
  EXPECT_EQ(check.head, read_audit(database, "", 2, 1).front().hash);
}

TEST_F(AuditTest, a_changed_row_is_found) {
  EXPECT_THAT(problem_after("UPDATE audit SET who = 'bob' WHERE sequence = 2"),
              testing::HasSubstr("row 2 was changed"));
}

TEST_F(AuditTest, a_missing_row_is_found) {
  EXPECT_THAT(problem_after("DELETE FROM audit WHERE sequence = 2"),
              testing::HasSubstr("row 2 is missing"));
}

TEST_F(AuditTest, a_cut_off_end_is_found) {
  EXPECT_THAT(problem_after("DELETE FROM audit WHERE sequence = 3"),
              testing::HasSubstr("row 3 is missing"));
}

TEST_F(AuditTest, the_database_itself_refuses_changes) {
  EXPECT_THROW(database.run_script("DELETE FROM audit"), Error);
  EXPECT_THROW(database.run_script("UPDATE audit SET who = 'bob'"), Error);
}

TEST_F(AuditTest, the_hash_is_the_documented_one) {
  const AuditRow row = read_audit(database, "", 0, 1).front();
  EXPECT_EQ(row.hash, sha256(R"(["",1,1,"ann","","publish","a",0,"","",""])"));
}

}  // namespace
}  // namespace maas
