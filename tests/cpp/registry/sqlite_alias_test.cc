// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_alias.h"

#include "registry/fixture.h"

#include "maas/registry/sqlite_rows.h"
#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

struct AliasTest : testing::Test {
  AliasTest() {
    bring_up_to_date(database, catalogue_steps(), [](int) {});
    insert_model(database, "a", 0);
    for (std::int64_t i = 1; i <= 3; ++i) {
      NewVersion made;
      made.row = {.name = "a", .version = i, .digest = sha256("m")};
      insert_version(database, made);
    }
  }
  void set(std::int64_t version) {
    AliasMove move = plan_move(database, {"a", "blue", version, {}});
    write_move(database, move);
  }
  std::int64_t back() {
    AliasMove move = plan_roll_back(database, {.name = "a", .alias = "blue"});
    write_move(database, move);
    return move.version;
  }
  TemporaryFolder folder;
  Database database{folder / "a.db", Database::Mode::kReadWrite};
};

TEST_F(AliasTest, a_removed_alias_that_is_set_again_goes_back_to_where_it_was_before) {
  set(1);
  set(2);
  set(0);
  set(3);
  EXPECT_EQ(back(), 2);
  EXPECT_EQ(back(), 1);
  EXPECT_EQ(code_of([&] { back(); }), ErrorCode::kConflict);
}

TEST_F(AliasTest, planning_changes_nothing) {
  set(1);
  (void)plan_move(database, {"a", "blue", 2, 1});
  EXPECT_EQ(read_model(database, "a")->aliases.at("blue"), 1);
  EXPECT_EQ(read_moves(database, "a", "", 10).size(), 1U);
}

TEST_F(AliasTest, one_that_is_not_there_cannot_go_back_or_away) {
  EXPECT_EQ(code_of([&] { back(); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { set(0); }), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace maas
