// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/store.h"

#include "registry/fixture.h"

namespace maas {
namespace {

using testing::HasSubstr;

struct StoreTest : testing::Test {
  TemporaryFolder folder;
  Store store{{.folder = folder / "store"}};
};

TEST_F(StoreTest, what_was_published_is_there_when_it_is_opened_again) {
  const VersionRow row = publish(store, "iris");
  EXPECT_EQ(row.version, 1);
  EXPECT_EQ(row.digest, sha256(store.manifest(row)));
  Store again({.folder = folder / "store"});
  EXPECT_EQ(again.find({.name = "iris"}).digest, row.digest);
  again.verify(row);
}

TEST_F(StoreTest, a_reference_without_a_number_is_the_champion_or_the_newest) {
  publish(store, "iris");
  publish(store, "iris");
  EXPECT_EQ(store.find({.name = "iris"}).version, 2);
  store.move_alias({"iris", "champion", 1, {}}, tester());
  EXPECT_EQ(store.find({.name = "iris"}).version, 1);
  EXPECT_EQ(store.find({.name = "iris", .alias = "latest"}).version, 2);
  EXPECT_THAT(message_of([&] { (void)store.find({.name = "iris", .alias = "blue"}); }),
              HasSubstr("it has: champion"));
  EXPECT_EQ(code_of([&] { (void)store.find({.name = "none"}); }), ErrorCode::kNotFound);
}

TEST_F(StoreTest, a_version_whose_bytes_are_missing_is_not_published) {
  const std::string manifest = manifest_of({sha256("never put"), 9});
  EXPECT_THAT(message_of([&] { store.publish({"iris", manifest}, tester()); }),
              HasSubstr("has no blob"));
  EXPECT_FALSE(store.catalogue().model("iris"));
}

TEST_F(StoreTest, damage_is_named_at_load_and_shown_in_lists) {
  const VersionRow row = publish(store, "iris", "weights");
  const auto path = store.blobs().path_of(sha256("weights"));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  write_text(path, "weighty");
  EXPECT_THAT(message_of([&] { store.verify(row); }), HasSubstr("version 1 of 'iris' is damaged"));
  EXPECT_THAT(store.find({.name = "iris"}).damage, HasSubstr("'model.pt'"));
  EXPECT_EQ(store.blobs().put("weights").digest, sha256("weights"));
  store.verify(store.find({.name = "iris"}));
  EXPECT_EQ(store.find({.name = "iris"}).damage, "");
}

TEST_F(StoreTest, a_swapped_manifest_is_named_at_load) {
  const VersionRow first = publish(store, "iris", "one");
  const VersionRow second = publish(store, "iris", "two");
  const auto a = store.blobs().path_of(first.digest);
  const auto b = store.blobs().path_of(second.digest);
  std::filesystem::rename(a, folder / "kept");
  std::filesystem::rename(b, a);
  std::filesystem::rename(folder / "kept", b);
  EXPECT_THAT(message_of([&] { store.verify(first); }), HasSubstr("(manifest)"));
  EXPECT_EQ(code_of([&] { (void)store.manifest(second); }), ErrorCode::kInternal);
}

TEST_F(StoreTest, a_served_version_is_not_deleted) {
  publish(store, "iris");
  Lease lease = store.lease("iris", 1);
  EXPECT_THAT(message_of([&] { store.remove("iris", 1, tester()); }), HasSubstr("is served"));
  lease.give_back();
  store.remove("iris", 1, tester());
  EXPECT_FALSE(std::filesystem::exists(store.paths().record("iris", 1)));
  EXPECT_EQ(code_of([&] { (void)store.lease("iris", 1); }), ErrorCode::kNotFound);
}

TEST_F(StoreTest, a_failed_version_is_kept_with_its_reason_and_never_leased) {
  const std::string manifest = manifest_of(store.blobs().put("w"));
  store.publish({"iris", manifest, VersionState::kFailed, "differs"}, tester());
  EXPECT_EQ(store.find({.name = "iris", .version = 1}).reason, "differs");
  EXPECT_THAT(message_of([&] { (void)store.lease("iris", 1); }), HasSubstr("differs"));
  EXPECT_EQ(code_of([&] { (void)store.find({.name = "iris"}); }), ErrorCode::kNotFound);
}

TEST_F(StoreTest, a_read_only_store_answers_and_checks_and_is_not_changed) {
  const VersionRow row = publish(store, "iris");
  Store reader({.folder = folder / "store", .read_only = true});
  EXPECT_EQ(reader.find({.name = "iris"}).version, 1);
  reader.verify(row);
  EXPECT_FALSE(reader.lease("iris", 1).is_held());
  EXPECT_EQ(code_of([&] { publish(reader, "iris"); }), ErrorCode::kForbidden);
  EXPECT_EQ(code_of([&] { reader.remove("iris", 1, tester()); }), ErrorCode::kForbidden);
}

TEST_F(StoreTest, opening_and_asking_wait_for_no_writer) {
  publish(store, "iris");
  const FileLock held = store.lock();
  Store other({.folder = folder / "store", .patience = std::chrono::milliseconds(0)});
  EXPECT_EQ(other.find({.name = "iris"}).version, 1);
  EXPECT_EQ(code_of([&] { publish(other, "iris"); }), ErrorCode::kUnavailable);
}

TEST(Store, is_not_made_by_those_who_only_ask) {
  const TemporaryFolder folder;
  EXPECT_EQ(code_of([&] { const Store store({.folder = folder / "none", .create = false}); }),
            ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
}

TEST(Store, without_its_catalogue_is_not_taken_for_an_empty_one) {
  const TemporaryFolder folder;
  {
    Store store({.folder = folder.path()});
    publish(store, "iris");
  }
  std::filesystem::remove(folder / "catalogue.db");
  EXPECT_THAT(message_of([&] { const Store store({.folder = folder.path()}); }),
              HasSubstr("recover"));
  write_text(folder / "catalogue.db", "");
  EXPECT_THAT(message_of([&] { const Store store({.folder = folder.path()}); }),
              HasSubstr("recover"));
}

}  // namespace
}  // namespace maas
