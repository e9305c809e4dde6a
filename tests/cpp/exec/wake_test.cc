// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/wake.h"

#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

class Sleeper final : public Wakeable {
 public:
  void wake(const void* /*reason*/) noexcept override {
    ++wakes;
    if (then) {
      then();
    }
  }
  int wakes = 0;
  std::function<void()> then;
};

TEST(WakeScope, without_a_scope_a_request_wakes_at_once) {
  Sleeper sleeper;
  WakeScope::request(sleeper);
  EXPECT_EQ(sleeper.wakes, 1);
}

TEST(WakeScope, wakes_each_sleeper_once_at_its_end) {
  Sleeper a;
  Sleeper b;
  {
    const WakeScope scope;
    for (int i = 0; i < 10; ++i) {
      WakeScope::request(a);
      WakeScope::request(b);
    }
    EXPECT_EQ(a.wakes + b.wakes, 0);
  }
  EXPECT_EQ(a.wakes, 1);
  EXPECT_EQ(b.wakes, 1);
}

TEST(WakeScope, wakes_a_sleeper_once_for_each_reason) {
  Sleeper pool;
  const std::array<int, 2> sources{};
  {
    const WakeScope scope;
    for (int i = 0; i < 3; ++i) {
      WakeScope::request(pool, &sources[0]);
      WakeScope::request(pool, &sources[1]);
    }
  }
  EXPECT_EQ(pool.wakes, 2);
}

TEST(WakeScope, keeps_a_sleeper_that_is_shared_until_it_was_woken) {
  auto sleeper = std::make_shared<Sleeper>();
  const std::weak_ptr<Sleeper> gone = sleeper;
  int woken = 0;
  sleeper->then = [&] { ++woken; };
  {
    WakeScope scope;
    WakeScope::request(sleeper);
    WakeScope::request(sleeper);
    sleeper.reset();
    scope.flush();
    EXPECT_EQ(woken, 1);
    EXPECT_TRUE(gone.expired());
  }
  EXPECT_EQ(woken, 1);
}

class Worker final : public Wakeable {
 public:
  void wake(const void* /*reason*/) noexcept override { ++wakes; }
  bool run_here(const void* reason) noexcept override {
    reasons.push_back(reason);
    return takes;
  }
  int wakes = 0;
  bool takes = true;
  std::vector<const void*> reasons;
};

TEST(WakeScope, a_thread_that_lends_itself_works_in_place_of_a_lone_sleeper) {
  Worker worker;
  const int source = 0;
  {
    const WakeScope scope(true);
    WakeScope::request(worker, &source);
  }
  EXPECT_EQ(worker.reasons, (std::vector<const void*>{&source}));
  EXPECT_EQ(worker.wakes, 0);
}

TEST(WakeScope, wakes_a_sleeper_whose_work_is_not_for_a_lent_thread) {
  Worker worker;
  worker.takes = false;
  {
    const WakeScope scope(true);
    WakeScope::request(worker);
  }
  EXPECT_EQ(worker.reasons.size(), 1U);
  EXPECT_EQ(worker.wakes, 1);
}

TEST(WakeScope, wakes_all_when_several_are_asked_for) {
  Worker worker;
  const std::array<int, 2> sources{};
  {
    const WakeScope scope(true);
    WakeScope::request(worker, &sources[0]);
    WakeScope::request(worker, &sources[1]);
  }
  EXPECT_TRUE(worker.reasons.empty());
  EXPECT_EQ(worker.wakes, 2);
}

TEST(WakeScope, a_thread_that_does_not_lend_itself_only_wakes) {
  Worker worker;
  {
    const WakeScope scope;
    WakeScope::request(worker);
  }
  EXPECT_TRUE(worker.reasons.empty());
  EXPECT_EQ(worker.wakes, 1);
}

TEST(WakeScope, the_innermost_scope_gathers) {
  Sleeper outer;
  Sleeper inner;
  {
    const WakeScope first;
    WakeScope::request(outer);
    {
      const WakeScope second;
      WakeScope::request(inner);
      EXPECT_EQ(inner.wakes, 0);
    }
    EXPECT_EQ(inner.wakes, 1);
    EXPECT_EQ(outer.wakes, 0);
    WakeScope::request(inner);
    EXPECT_EQ(inner.wakes, 1);
  }
  EXPECT_EQ(outer.wakes, 1);
  EXPECT_EQ(inner.wakes, 2);
  WakeScope::request(outer);
  EXPECT_EQ(outer.wakes, 2);
}

TEST(WakeScope, flush_wakes_and_goes_on_gathering) {
  Sleeper sleeper;
  {
    WakeScope scope;
    WakeScope::request(sleeper);
    scope.flush();
    EXPECT_EQ(sleeper.wakes, 1);
    scope.flush();
    EXPECT_EQ(sleeper.wakes, 1);
    WakeScope::request(sleeper);
    EXPECT_EQ(sleeper.wakes, 1);
  }
  EXPECT_EQ(sleeper.wakes, 2);
}

TEST(WakeScope, loses_no_wake_up_when_there_are_more_sleepers_than_it_keeps) {
  std::vector<Sleeper> sleepers(40);
  {
    const WakeScope scope;
    for (Sleeper& sleeper : sleepers) {
      WakeScope::request(sleeper);
      WakeScope::request(sleeper);
    }
  }
  for (const Sleeper& sleeper : sleepers) {
    EXPECT_GE(sleeper.wakes, 1);
  }
}

TEST(WakeScope, a_request_made_while_waking_is_not_lost) {
  Sleeper first;
  Sleeper second;
  second.then = [&] { WakeScope::request(first); };  // first was woken before this
  WakeScope scope;
  WakeScope::request(first);
  WakeScope::request(second);
  scope.flush();
  EXPECT_EQ(second.wakes, 1);
  EXPECT_EQ(first.wakes, 2);
}

TEST(WakeScope, a_request_made_while_a_scope_ends_is_not_lost) {
  Sleeper first;
  Sleeper second;
  second.then = [&] { WakeScope::request(first); };
  {
    const WakeScope scope;
    WakeScope::request(first);
    WakeScope::request(second);
  }
  EXPECT_EQ(first.wakes, 2);
}

TEST(WakeScope, belongs_to_its_thread) {
  Sleeper sleeper;
  const WakeScope scope;
  std::thread([&] { WakeScope::request(sleeper); }).join();
  EXPECT_EQ(sleeper.wakes, 1);
}

}  // namespace
}  // namespace maas
