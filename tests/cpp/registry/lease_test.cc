// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/lease.h"

#include "registry/fixture.h"
#include <sys/wait.h>

namespace maas {
namespace {

TEST(Lease, holds_until_it_goes) {
  const TemporaryFolder folder;
  EXPECT_FALSE(is_leased(folder.path(), "a", 1));
  {
    const Lease lease(folder.path(), "a", 1);
    Lease moved = Lease(folder.path(), "a", 2);
    const Lease other = std::move(moved);
    EXPECT_TRUE(is_leased(folder.path(), "a", 1));
    EXPECT_TRUE(is_leased(folder.path(), "a", 2));
    EXPECT_FALSE(is_leased(folder.path(), "a", 12));
    EXPECT_EQ(sweep_leases(folder.path(), false), 0);
  }
  EXPECT_FALSE(is_leased(folder.path(), "a", 1));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Lease, of_a_dead_process_is_none) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const Lease lease(folder.path(), "a", 1);
    ::_exit(lease.is_held() ? 0 : 1);  // no destructor runs
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
  EXPECT_FALSE(is_leased(folder.path(), "a", 1));
  EXPECT_EQ(sweep_leases(folder.path(), true), 1);
  EXPECT_EQ(sweep_leases(folder.path(), false), 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace maas
