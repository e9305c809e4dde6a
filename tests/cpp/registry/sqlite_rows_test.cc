// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_rows.h"

#include "registry/fixture.h"

#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

struct RowsTest : testing::Test {
  RowsTest() {
    bring_up_to_date(database, catalogue_steps(), [](int) {});
    insert_model(database, "a", 5);
    NewVersion made;
    made.row = {.name = "a", .version = 1, .digest = sha256("m"), .tags = {{"k", "v"}}};
    made.blobs = {{"model.pt", {sha256("b"), 4}}};
    made.stamps = {{sha256("b"), {1, 4, 2, 3}}};
    insert_version(database, made);
  }
  TemporaryFolder folder;
  Database database{folder / "a.db", Database::Mode::kReadWrite};
};

TEST_F(RowsTest, come_back_as_they_were_written) {
  const auto row = read_version(database, "a", 1);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->tags, (Tags{{"k", "v"}}));
  EXPECT_EQ(read_blobs(database, "a", 1).front().path, "model.pt");
  EXPECT_EQ(read_stamp(database, sha256("b"))->changed_ns, 3);
  EXPECT_FALSE(insert_model(database, "a", 6)) << "it is there";
  EXPECT_EQ(read_model(database, "a")->created_ms, 5);
}

TEST_F(RowsTest, of_a_deleted_version_only_the_number_stays) {
  leave_number_alone(database, "a", 1);
  EXPECT_EQ(read_version(database, "a", 1)->state, VersionState::kDeleted);
  EXPECT_TRUE(read_needed_blobs(database).empty());
  EXPECT_EQ(code_of([&] { require_removable(database, "a", 1); }), ErrorCode::kNotFound);
}

TEST_F(RowsTest, a_page_begins_only_where_one_ended) {
  EXPECT_EQ(code_of([&] { (void)search_versions(database, {}, "nonsense", 5); }),
            ErrorCode::kInvalidArgument);
  EXPECT_TRUE(search_versions(database, {}, "a/1", 5).items.empty());
}

}  // namespace
}  // namespace maas
