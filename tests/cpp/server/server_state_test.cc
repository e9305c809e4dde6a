// SPDX-License-Identifier: Apache-2.0
#include "maas/server/server_state.h"

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(ServerState, counts_answers_by_class) {
  ServerState state;
  state.count_answer(200);
  state.count_answer(204);
  state.count_answer(404);
  state.count_answer(599);
  EXPECT_EQ(state.answers[2].value(), 2U);
  EXPECT_EQ(state.answers[4].value(), 1U);
  EXPECT_EQ(state.answers[5].value(), 1U);
}

TEST(ServerState, begins_ready_with_nothing_published) {
  const ServerState state;
  EXPECT_TRUE(state.ready);
  EXPECT_TRUE(state.published.load()->models.empty());
}

}  // namespace
}  // namespace maas
