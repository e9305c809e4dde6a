// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/blob_store.h"

#include "registry/fixture.h"

namespace maas {
namespace {

using Check = BlobStore::Check;

struct BlobStoreTest : testing::Test {
  BlobStoreTest() {
    files.make_folder(folder / "tmp");
    files.make_folder(folder.path() / "blobs" / "sha256");
  }
  [[nodiscard]] bool has_temporary_files() const {
    return !std::filesystem::is_empty(folder / "tmp");
  }
  TemporaryFolder folder;
  Files files{std::make_shared<SystemCalls>()};
  BlobStore blobs{files, folder.path()};
};

TEST_F(BlobStoreTest, a_blob_is_named_by_its_bytes_and_kept_once) {
  const BlobRef blob = blobs.put("hello");
  EXPECT_EQ(blob.digest, sha256("hello"));
  EXPECT_EQ(blob.size, 5);
  EXPECT_EQ(blobs.put("hello").digest, blob.digest);
  EXPECT_EQ(blobs.read(blob.digest, 100), "hello");
  EXPECT_FALSE(has_temporary_files());
}

TEST_F(BlobStoreTest, a_large_file_is_hashed_beside_its_copy) {
  std::string bytes;
  for (int i = 0; bytes.size() < 5'000'123; ++i) {
    bytes += std::to_string(i);
  }
  write_text(folder / "large", bytes);
  const BlobRef blob = blobs.put_file(folder / "large");
  EXPECT_EQ(blob.digest, sha256(bytes));
  EXPECT_EQ(blob.size, static_cast<std::int64_t>(bytes.size()));
  EXPECT_EQ(read_text(blobs.path_of(blob.digest)), bytes);
  EXPECT_FALSE(has_temporary_files());
}

TEST_F(BlobStoreTest, each_kind_of_damage_is_found_and_mended_by_the_right_bytes) {
  const BlobRef blob = blobs.put("hello");
  const auto path = blobs.path_of(blob.digest);
  EXPECT_FALSE(blobs.damage(blob, Check::kCached));
  for (const char* wrong : {"hellp", "hell", "", "hello!"}) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    write_text(path, wrong);
    const auto found = blobs.damage(blob, Check::kCached);
    ASSERT_TRUE(found) << wrong;
    EXPECT_THAT(*found, testing::HasSubstr(blob.digest));
    EXPECT_EQ(blobs.put("hello").digest, blob.digest);
    EXPECT_FALSE(blobs.damage(blob, Check::kFull)) << wrong;
  }
  std::filesystem::remove(path);
  EXPECT_THAT(*blobs.damage(blob, Check::kCached), testing::HasSubstr("missing"));
}

TEST_F(BlobStoreTest, an_upload_must_have_the_expected_digest) {
  BlobWriter wrong(blobs);
  wrong.write("hel");
  wrong.write("lo");
  EXPECT_EQ(code_of([&] { (void)wrong.finish(sha256("other")); }), ErrorCode::kUnprocessable);
  EXPECT_FALSE(std::filesystem::exists(blobs.path_of(sha256("hello"))));
  BlobWriter right(blobs);
  right.write("hello");
  EXPECT_EQ(right.finish(sha256("hello")).size, 5);
}

TEST_F(BlobStoreTest, no_digest_leads_out_of_the_store) {
  EXPECT_EQ(code_of([&] { (void)blobs.path_of("../../etc/passwd"); }), ErrorCode::kInvalidArgument);
}

TEST_F(BlobStoreTest, all_blobs_are_visited) {
  (void)blobs.put("a");
  (void)blobs.put("b");
  int seen = 0;
  blobs.for_each([&](const BlobRef& blob, const FileStamp& stamp) {
    ++seen;
    EXPECT_EQ(blob.size, stamp.size);
  });
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(blobs.remove(sha256("a")));
  EXPECT_FALSE(blobs.has(sha256("a"), 1));
}

}  // namespace
}  // namespace maas
