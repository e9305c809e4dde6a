// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/file_lock.h"

#include <optional>

#include "registry/fixture.h"

namespace maas {
namespace {

using std::chrono::milliseconds;
using Kind = FileLock::Kind;

TEST(FileLock, excludes_others_until_it_goes) {
  const TemporaryFolder folder;
  std::optional<FileLock> first(std::in_place, folder / "lock", Kind::kExclusive, milliseconds(0));
  EXPECT_TRUE(is_locked(folder / "lock"));
  EXPECT_EQ(
      code_of([&] { const FileLock second(folder / "lock", Kind::kShared, milliseconds(5)); }),
      ErrorCode::kUnavailable);
  first.reset();
  EXPECT_FALSE(is_locked(folder / "lock"));
  const FileLock third(folder / "lock", Kind::kExclusive, milliseconds(0));
}

TEST(FileLock, is_shared_by_readers) {
  const TemporaryFolder folder;
  const FileLock first(folder / "lock", Kind::kShared, milliseconds(0));
  const FileLock second(folder / "lock", Kind::kShared, milliseconds(0));
  EXPECT_FALSE(is_locked(folder / "none"));
}

}  // namespace
}  // namespace maas
