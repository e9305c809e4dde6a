// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_search.h"

#include "registry/fixture.h"

#include "maas/registry/sqlite_rows.h"
#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

TEST(SqliteSearch, drives_by_what_few_versions_have) {
  const TemporaryFolder folder;
  const Database database(folder / "a.db", Database::Mode::kReadWrite);
  bring_up_to_date(database, catalogue_steps(), [](int) {});
  insert_model(database, "a", 0);
  const Transaction transaction(database, Transaction::Kind::kWrite);
  for (std::int64_t i = 1; i <= 2'100; ++i) {
    NewVersion made;
    made.row = {.name = "a", .version = i, .digest = sha256("m"), .tags = {{"common", "x"}}};
    if (i == 2'000) {
      made.row.tags["rare"] = "y";
    }
    insert_version(database, made);
  }
  const Filter rare = parse_filter("tags.common = 'x' AND tags.rare = 'y'");
  const std::string sql = sql_of(database, rare).sql;
  EXPECT_THAT(sql, testing::HasSubstr("v.id IN (SELECT t.owner"));
  EXPECT_THAT(sql, testing::HasSubstr("EXISTS (SELECT 1 FROM tags"));
  EXPECT_EQ(search_versions(database, rare, "", 10).items.at(0).version, 2'000);
  EXPECT_THAT(sql_of(database, parse_filter("tags.common = 'x'")).sql,
              testing::Not(testing::HasSubstr(" IN (")));
}

}  // namespace
}  // namespace maas
