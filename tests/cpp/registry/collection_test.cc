// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/collection.h"

#include "registry/fixture.h"

namespace maas {
namespace {

struct CollectionTest : testing::Test {
  TemporaryFolder folder;
  std::int64_t ahead_ms = 0;  // of the real clock, which stamps the files
  Store store{{.folder = folder.path(), .now_ms = [this] {
                 return std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count() +
                        ahead_ms;
               }}};
  static constexpr std::int64_t kDayMs = 24 * std::int64_t{3'600'000};
};

TEST_F(CollectionTest, takes_what_no_version_needs_after_its_grace) {
  publish(store, "a", "kept");
  publish(store, "a", "gone");
  store.remove("a", 2, tester());
  EXPECT_EQ(collect(store, {}).blobs, 0);
  EXPECT_EQ(collect(store, {}).young, 2) << "its file and its manifest";
  ahead_ms = kDayMs + 60'000;
  EXPECT_EQ(collect(store, {.dry_run = true}).blobs, 2);
  EXPECT_TRUE(store.blobs().has(sha256("gone"), 4));
  EXPECT_EQ(collect(store, {}).blobs, 2);
  EXPECT_FALSE(store.blobs().has(sha256("gone"), 4));
  store.verify(store.find({.name = "a", .version = 1}));
}

TEST_F(CollectionTest, bytes_that_are_put_again_are_young_again) {
  (void)store.blobs().put("twice");
  ahead_ms = kDayMs + 60'000;
  (void)store.blobs().put("twice");
  // Its new time is the real clock's; what counts is that the put was noticed.
  const auto stamp = store.files().stamp(store.blobs().path_of(sha256("twice")));
  EXPECT_GE(stamp->modified_ns / 1'000'000, store.now_ms() - ahead_ms - 10'000);
}

TEST_F(CollectionTest, waits_for_a_backup) {
  Store hasty({.folder = folder.path(), .patience = std::chrono::milliseconds(0)});
  const FileLock backup = store.lock_collection(FileLock::Kind::kShared);
  EXPECT_EQ(code_of([&] { collect(hasty, {}); }), ErrorCode::kUnavailable);
}

TEST_F(CollectionTest, removes_what_dead_processes_left) {
  publish(store, "a");
  write_text(folder.path() / "tmp" / "1-dead", "half");
  write_text(store.paths().record("a", 7), "of a deleted version");
  write_text(folder.path() / "leases" / "a@7@1-dead", "");
  const TemporaryFile alive(store.files(), folder / "tmp");
  ahead_ms = 120'000;
  const CollectReport report = collect(store, {});
  EXPECT_EQ(report.temporary_files, 1);
  EXPECT_EQ(report.records, 1);
  EXPECT_EQ(report.leases, 1);
  EXPECT_TRUE(std::filesystem::exists(alive.path()));
  EXPECT_TRUE(std::filesystem::exists(store.paths().record("a", 1)));
  EXPECT_EQ(code_of([&] { collect(store, {.grace = std::chrono::milliseconds(-1)}); }),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
