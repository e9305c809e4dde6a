// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/fsck.h"

#include "registry/fixture.h"

namespace maas {
namespace {

struct FsckTest : testing::Test {
  FsckTest() {
    publish(store, "a", "one");
    publish(store, "a", "two");
    store.move_alias({"a", "champion", 2, {}}, tester());
  }
  TemporaryFolder folder;
  Store store{{.folder = folder.path()}};
};

TEST_F(FsckTest, a_whole_store_is_well) {
  const FsckReport report = fsck(store, false);
  EXPECT_TRUE(report.is_well());
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.versions, 2);
  EXPECT_EQ(report.blobs, 4);
  EXPECT_EQ(report.unneeded, 0);
}

TEST_F(FsckTest, damaged_bytes_are_found_noted_and_forgotten_when_mended) {
  const auto path = store.blobs().path_of(sha256("one"));
  std::filesystem::remove(path);
  const FsckReport report = fsck(store, false);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, "blob");
  EXPECT_EQ(report.findings[0].version, 1);
  EXPECT_FALSE(report.is_well());
  EXPECT_NE(store.find({.name = "a", .version = 1}).damage, "");
  (void)store.blobs().put("one");
  EXPECT_TRUE(fsck(store, true).is_well());
  EXPECT_EQ(store.find({.name = "a", .version = 1}).damage, "");
}

TEST_F(FsckTest, a_missing_or_changed_record_is_written_again) {
  std::filesystem::remove(store.paths().record("a", 1));
  write_text(store.paths().record("a"), "{}");
  const FsckReport report = fsck(store, true);
  EXPECT_EQ(report.findings.size(), 2U);
  EXPECT_TRUE(report.is_well());
  EXPECT_TRUE(fsck(store, true).findings.empty());
}

}  // namespace
}  // namespace maas
