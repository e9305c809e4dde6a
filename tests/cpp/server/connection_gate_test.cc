// SPDX-License-Identifier: Apache-2.0
#include "maas/server/connection_gate.h"

#include <chrono>

#include <gtest/gtest.h>

#include "maas/exec/thread.h"

namespace maas {
namespace {

using Entry = ConnectionGate::Entry;

TEST(ConnectionGate, admits_up_to_its_limit_then_refuses_then_is_full) {
  Gauge open;
  ConnectionGate gate(2, open);
  EXPECT_EQ(gate.enter(), Entry::kAdmitted);
  EXPECT_EQ(gate.enter(), Entry::kAdmitted);
  EXPECT_EQ(gate.enter(), Entry::kRefused);
  EXPECT_EQ(open.value(), 3);
  gate.leave();
  gate.leave();
  EXPECT_EQ(gate.enter(), Entry::kAdmitted);
  Entry last = Entry::kAdmitted;
  for (int i = 0; i < 1000 && last != Entry::kFull; ++i) {
    last = gate.enter();
  }
  EXPECT_EQ(last, Entry::kFull);
}

TEST(ConnectionGate, waits_until_the_last_has_left) {
  Gauge open;
  SystemClock clock;
  ConnectionGate gate(2, open);
  gate.enter();
  const Thread leaver("leaver", [&] { gate.leave(); });
  EXPECT_TRUE(gate.wait_empty(clock, Deadline::after(clock, std::chrono::seconds(20))));
  EXPECT_EQ(open.value(), 0);
}

TEST(ConnectionGate, waits_no_longer_than_the_deadline) {
  Gauge open;
  ManualClock clock;
  ConnectionGate gate(2, open);
  gate.enter();
  EXPECT_FALSE(gate.wait_empty(clock, Deadline(clock.now())));
}

}  // namespace
}  // namespace maas
