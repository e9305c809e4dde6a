// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/recovery.h"

#include "registry/fixture.h"

#include "maas/registry/fsck.h"
#include "maas/registry/record.h"

namespace maas {
namespace {

using testing::HasSubstr;

struct RecoveryTest : testing::Test {
  RecoveryTest() {
    for (const char* bytes : {"one", "two", "three"}) {
      publish(store, "a", bytes, {{"bytes", bytes}});
    }
    publish(store, "b");
    store.move_alias({"a", "champion", 1, {}}, tester());
    store.move_alias({"a", "champion", 2, {}}, tester());
    store.remove("a", 3, tester());
    store.annotate({"a", 1, "changed later", {{"new", "x"}}, {}}, tester());
  }
  void expect_all_there() {
    EXPECT_EQ(store.find({.name = "a"}).version, 2);
    EXPECT_EQ(store.find({.name = "a", .version = 1}).description, "changed later");
    EXPECT_EQ(store.find({.name = "a", .version = 1}).tags.at("new"), "x");
    EXPECT_EQ(store.find({.name = "a", .version = 2}).metrics.size(), 1U);
    EXPECT_EQ(store.find({.name = "b"}).version, 1);
    EXPECT_TRUE(fsck(store, false).is_well());
    EXPECT_EQ(publish(store, "a", "four").version, 4) << "3 was deleted, not forgotten";
  }
  TemporaryFolder folder;
  Store store{{.folder = folder.path()}};
};

TEST_F(RecoveryTest, brings_everything_back_without_a_catalogue) {
  std::filesystem::remove(folder / "catalogue.db");
  const RecoverReport report = recover({.folder = folder.path()}, tester());
  EXPECT_EQ(report.models, 2);
  EXPECT_EQ(report.versions, 3);
  EXPECT_TRUE(report.problems.empty());
  expect_all_there();
}

TEST_F(RecoveryTest, brings_everything_back_from_garbage) {
  write_text(folder / "catalogue.db", std::string(100'000, 'x'));
  EXPECT_THAT(message_of([&] { (void)store.catalogue().model("a"); }), HasSubstr("recover"));
  const RecoverReport report = recover({.folder = folder.path()}, tester());
  EXPECT_TRUE(std::filesystem::exists(report.kept));
  EXPECT_FALSE(report.problems.empty());
  expect_all_there();
}

TEST_F(RecoveryTest, keeps_audit_and_history_of_a_catalogue_that_can_be_read) {
  const auto before = store.catalogue().verify_audit();
  const RecoverReport report = recover({.folder = folder.path()}, tester());
  EXPECT_EQ(report.audit_rows, before.rows);
  const auto after = store.catalogue().verify_audit();
  EXPECT_EQ(after.problem, "");
  EXPECT_EQ(after.rows, before.rows + 1);
  EXPECT_EQ(store.roll_back({.name = "a", .alias = "champion"}, tester()).version, 1);
}

TEST_F(RecoveryTest, tells_of_records_that_cannot_be_read_and_keeps_their_numbers) {
  write_text(store.paths().record("a", 2), "garbage");
  std::filesystem::remove(folder / "catalogue.db");
  const RecoverReport report = recover({.folder = folder.path()}, tester());
  EXPECT_EQ(report.problems.size(), 2U) << "the record, and the alias that was at it";
  EXPECT_EQ(publish(store, "a").version, 4);
}

TEST_F(RecoveryTest, a_publication_that_was_killed_is_finished_in_all_records) {
  VersionRow unfinished = store.find({.name = "a", .version = 2});
  unfinished.version = 4;
  write_text(store.paths().record("a", 4), version_record(unfinished));
  std::filesystem::remove(folder / "catalogue.db");
  EXPECT_EQ(recover({.folder = folder.path()}, tester()).versions, 4);
  Store again({.folder = folder.path()});
  EXPECT_TRUE(fsck(again, false).findings.empty());
  EXPECT_EQ(publish(again, "a", "five").version, 5);
}

TEST_F(RecoveryTest, a_backup_is_a_store) {
  const TemporaryFolder other;
  const BackupReport report = back_up(store, other / "copy");
  EXPECT_EQ(report.versions, 3);
  EXPECT_TRUE(report.problems.empty());
  Store copy({.folder = other / "copy"});
  EXPECT_TRUE(fsck(copy, false).findings.empty());
  EXPECT_EQ(copy.find({.name = "a"}).version, 2);
  publish(store, "a", "five");
  EXPECT_EQ(back_up(store, other / "copy").blobs, 2) << "what is new";
  EXPECT_EQ(copy.find({.name = "a", .version = 4}).version, 4);
}

TEST_F(RecoveryTest, a_backup_replaces_no_other_store) {
  const TemporaryFolder other;
  {
    Store theirs({.folder = other.path()});
    publish(theirs, "theirs");
  }
  EXPECT_THAT(message_of([&] { back_up(store, other.path()); }), HasSubstr("another store"));
  EXPECT_EQ(code_of([&] { back_up(store, folder.path()); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
