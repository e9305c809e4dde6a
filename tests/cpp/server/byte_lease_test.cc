// SPDX-License-Identifier: Apache-2.0
#include "maas/server/byte_lease.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ByteLease, gives_back_what_it_took) {
  ByteBudget budget(100);
  {
    ByteLease lease(budget);
    EXPECT_TRUE(lease.grow_to(40));
    EXPECT_TRUE(lease.grow_to(90));
    EXPECT_TRUE(lease.grow_to(10));
    EXPECT_EQ(budget.held(), 90U);
  }
  EXPECT_EQ(budget.held(), 0U);
}

TEST(ByteLease, keeps_what_it_has_when_more_does_not_fit) {
  ByteBudget budget(100);
  ByteLease lease(budget);
  EXPECT_TRUE(lease.grow_to(60));
  EXPECT_FALSE(lease.grow_to(101));
  EXPECT_EQ(lease.held(), 60U);
  lease.give_back();
  lease.give_back();
  EXPECT_EQ(budget.held(), 0U);
}

}  // namespace
}  // namespace maas
