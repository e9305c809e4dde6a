// SPDX-License-Identifier: Apache-2.0
#include "maas/server/withdrawals.h"

#include <memory>
#include <string>

#include "../batching/fakes.h"
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

TEST(Withdrawals, are_counted_by_model_reason_and_stage) {
  Engine engine{{}, std::make_shared<SystemClock>(), [](const LogRecord&) {}};
  const auto model = engine.serve({"m", 2}, std::make_shared<testing::FakeModel>(), {});
  Withdrawals withdrawals;
  for (std::size_t i = 0; i < Withdrawals::kKinds.size(); ++i) {
    for (std::size_t n = 0; n <= i; ++n) {
      withdrawals.add(*model, Withdrawals::kKinds[i].withdrawal);
    }
  }
  const Withdrawals::Counts counts = withdrawals.of("m", 2);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EXPECT_EQ(counts[i], i + 1) << Withdrawals::kKinds[i].reason << Withdrawals::kKinds[i].stage;
  }
  EXPECT_EQ(withdrawals.of("m", 1), Withdrawals::Counts{});
  EXPECT_EQ(withdrawals.of("other", 2), Withdrawals::Counts{});
}

}  // namespace
}  // namespace maas
