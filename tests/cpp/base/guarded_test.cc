// SPDX-License-Identifier: Apache-2.0
#include "maas/base/guarded.h"

#include <cstddef>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "on_threads.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Guarded, gives_the_value_to_one_thread_at_a_time) {
  Guarded<int> counter;
  const auto increment = [](int& value) { ++value; };
  testing::run_on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 5000; ++i) {
      counter.with(increment);
    }
  });
  EXPECT_EQ(std::as_const(counter).with([](const int& value) { return value; }), 20000);
}

TEST(Guarded, starts_with_the_value_given_and_lets_the_lock_go_when_a_visitor_throws) {
  Guarded<std::unique_ptr<int>> guarded(std::make_unique<int>(3));
  EXPECT_THROW(guarded.with([](auto&) { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(guarded.with([](auto& value) { return *value; }), 3);
}

TEST(Snapshot, a_reader_keeps_what_it_loaded) {
  Snapshot<int> snapshot(std::make_shared<const int>(1));
  const auto before = snapshot.load();
  snapshot.store(std::make_shared<const int>(2));
  EXPECT_EQ(*before, 1);
  EXPECT_EQ(*snapshot.load(), 2);
}

// Publishes again while it dies, which only works when nobody holds the snapshot's lock.
struct Republisher {
  Snapshot<Republisher>* snapshot;
  bool* died;
  ~Republisher() { *died = snapshot->load() != nullptr; }
};

TEST(Snapshot, the_old_version_dies_outside_the_lock) {
  bool died = false;
  bool died_last = false;
  auto snapshot = std::make_unique<Snapshot<Republisher>>(nullptr);
  snapshot->store(std::make_shared<const Republisher>(snapshot.get(), &died));
  const auto next = std::make_shared<const Republisher>(snapshot.get(), &died_last);
  snapshot->store(next);
  EXPECT_TRUE(died);
  snapshot->store(nullptr);
}

TEST(Snapshot, exchange_gives_what_was_current) {
  Snapshot<int> snapshot(std::make_shared<const int>(1));
  EXPECT_EQ(*snapshot.exchange(std::make_shared<const int>(2)), 1);
  EXPECT_EQ(*snapshot.load(), 2);
}

TEST(Snapshot, readers_see_whole_versions_while_writers_publish) {
  struct Pair {
    int a;
    int b;
  };
  Snapshot<Pair> snapshot(std::make_shared<const Pair>(0, 0));
  std::latch start(3);
  const std::jthread writer([&] {
    start.arrive_and_wait();
    for (int i = 1; i <= 2000; ++i) {
      snapshot.store(std::make_shared<const Pair>(i, -i));
    }
  });
  testing::run_on_threads(2, [&](std::size_t) {
    start.arrive_and_wait();
    int last = 0;
    while (last < 2000) {
      const auto seen = snapshot.load();
      ASSERT_EQ(seen->a, -seen->b);
      ASSERT_GE(seen->a, last);
      last = seen->a;
    }
  });
}

}  // namespace
}  // namespace maas
