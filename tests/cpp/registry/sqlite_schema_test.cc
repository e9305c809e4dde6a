// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_schema.h"

#include <array>

#include "registry/fixture.h"

namespace maas {
namespace {

constexpr std::array<std::string_view, 2> kTwo = {"CREATE TABLE a (x); INSERT INTO a VALUES (1);",
                                                  "ALTER TABLE a ADD COLUMN y DEFAULT 5;"};

struct SchemaTest : testing::Test {
  TemporaryFolder folder;
  Database database{folder / "a.db", Database::Mode::kReadWrite};
  std::vector<int> backed_up;
  void bring(std::span<const std::string_view> steps) {
    bring_up_to_date(database, steps, [this](int from) { backed_up.push_back(from); });
  }
};

TEST_F(SchemaTest, an_older_one_is_backed_up_and_migrated) {
  bring(std::span(kTwo).first(1));
  EXPECT_EQ(schema_version(database), 1);
  EXPECT_TRUE(backed_up.empty()) << "a new one has nothing to keep";
  EXPECT_EQ(code_of([&] { check_up_to_date(database, kTwo); }), ErrorCode::kForbidden);
  bring(kTwo);
  EXPECT_EQ(backed_up, std::vector<int>{1});
  Statement read = database.prepare("SELECT x, y FROM a");
  ASSERT_TRUE(read.step());
  EXPECT_EQ(read.integer(1), 5);
  bring(kTwo);
  EXPECT_EQ(backed_up.size(), 1U);
}

TEST_F(SchemaTest, a_newer_one_is_refused) {
  bring(kTwo);
  EXPECT_THAT(message_of([&] { bring(std::span(kTwo).first(1)); }),
              testing::HasSubstr("newer maas"));
}

TEST_F(SchemaTest, another_programs_database_is_refused) {
  database.run_script("CREATE TABLE theirs (x)");
  EXPECT_THAT(message_of([&] { bring(kTwo); }), testing::HasSubstr("another program's"));
}

TEST_F(SchemaTest, a_migration_that_fails_leaves_what_was_there) {
  bring(std::span(kTwo).first(1));
  constexpr std::array<std::string_view, 2> kBroken = {kTwo[0], "DROP TABLE a; NOT SQL;"};
  EXPECT_THROW(bring(kBroken), Error);
  EXPECT_EQ(schema_version(database), 1);
  Statement read = database.prepare("SELECT x FROM a");
  EXPECT_TRUE(read.step());
}

}  // namespace
}  // namespace maas
