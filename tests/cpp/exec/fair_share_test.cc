// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/fair_share.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using Id = FairShare::Id;

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

// Work that always takes as long as it is told, or that has none.
struct Source {
  std::function<double()> cost;
  bool ready = true;
  double used = 0;
};

// A pool of one thread: asks in fair order until one has work, which then runs.
class Thread {
 public:
  explicit Thread(FairShare& fair) : fair_(fair) {}

  const Source* step(std::vector<Source*> sources) {
    std::vector<Id> ids;
    fair_.order(ids);
    for (const Id id : ids) {
      const auto at = std::find(sources.begin(), sources.end(), id);
      const FairShare::Turn turn = fair_.begin(id);
      if (at == sources.end() || !(*at)->ready) {
        fair_.cancel(turn);
        continue;
      }
      const double cost = (*at)->cost();
      (*at)->used += cost;
      fair_.end(turn, seconds(cost));
      return *at;
    }
    return nullptr;
  }

 private:
  FairShare& fair_;
};

std::function<double()> always(double cost) {
  return [cost] { return cost; };
}

TEST(FairShare, two_that_are_always_ready_share_by_weight_whatever_their_costs) {
  for (const auto& [light, heavy] : {std::pair(1.0, 1.0), {0.001, 1.0}, {1.0, 0.001}, {5.0, 0.7}}) {
    FairShare fair;
    Source one{always(light)};
    Source three{always(heavy)};
    fair.add(&one, 1);
    fair.add(&three, 3);
    Thread thread(fair);
    // The bound that start-time fair queueing keeps at all times.
    const double bound = light + heavy / 3 + 1e-6;
    for (int i = 0; i < 5000; ++i) {
      thread.step({&one, &three});
      ASSERT_LE(std::abs(one.used - three.used / 3), bound) << light << " and " << heavy;
    }
  }
}

TEST(FairShare, costs_that_vary_are_charged_as_they_were) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> shorter(0.001, 0.1);
  std::uniform_real_distribution<double> longer(0.001, 2);
  FairShare fair;
  Source one{[&] { return shorter(random); }};
  Source three{[&] { return longer(random); }};
  fair.add(&one, 1);
  fair.add(&three, 3);
  Thread thread(fair);
  for (int i = 0; i < 20000; ++i) {
    thread.step({&one, &three});
    ASSERT_LE(std::abs(one.used - three.used / 3), 0.1 + 2.0 / 3 + 1e-6);
  }
  EXPECT_NEAR(three.used / one.used, 3, 0.05);
}

TEST(FairShare, who_was_idle_comes_next_and_has_saved_up_nothing) {
  FairShare fair;
  Source busy{always(1)};
  Source idle{always(1)};
  idle.ready = false;
  fair.add(&busy, 1);
  fair.add(&idle, 1);
  Thread thread(fair);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(thread.step({&busy, &idle}), &busy);
  }
  idle.ready = true;
  busy.used = 0;
  EXPECT_EQ(thread.step({&busy, &idle}), &idle);
  for (int i = 0; i < 20; ++i) {
    thread.step({&busy, &idle});
    EXPECT_LE(std::abs(busy.used - idle.used), 2);
  }
}

TEST(FairShare, who_is_added_late_comes_next_and_has_saved_up_nothing) {
  FairShare fair;
  Source old{always(1)};
  Source fresh{always(1)};
  fair.add(&old, 1);
  Thread thread(fair);
  for (int i = 0; i < 100; ++i) {
    thread.step({&old});
  }
  old.used = 0;
  fair.add(&fresh, 1);
  EXPECT_EQ(thread.step({&old, &fresh}), &fresh);
  for (int i = 0; i < 20; ++i) {
    thread.step({&old, &fresh});
    EXPECT_LE(std::abs(old.used - fresh.used), 2);
  }
}

TEST(FairShare, to_be_asked_in_vain_costs_nothing) {
  FairShare fair;
  Source asked{always(1)};
  Source other{always(1)};
  fair.add(&asked, 1);
  fair.add(&other, 1);
  Thread thread(fair);
  for (int i = 0; i < 2000; ++i) {
    thread.step({&asked, &other});
    fair.cancel(fair.begin(&asked));
  }
  EXPECT_NEAR(asked.used, other.used, 2);
}

TEST(FairShare, turns_that_take_no_time_alternate) {
  FairShare fair;
  Source a{always(0)};
  Source b{always(0)};
  fair.add(&a, 1);
  fair.add(&b, 3);
  Thread thread(fair);
  const Source* last = thread.step({&a, &b});
  for (int i = 0; i < 10; ++i) {
    const Source* next = thread.step({&a, &b});
    EXPECT_NE(next, last);
    last = next;
  }
}

// Several turns are under way at once, and each is charged in advance what it is expected to cost.
TEST(FairShare, threads_that_run_at_once_keep_the_shares) {
  FairShare fair;
  std::array<Source, 3> sources{Source{always(1)}, {always(0.1)}, {always(0.4)}};
  fair.add(&sources[0], 1);
  fair.add(&sources[1], 1);
  fair.add(&sources[2], 2);
  struct Running {
    FairShare::Turn turn{};
    double cost = 0;
    double until = 0;
  };
  std::array<Running, 4> threads;
  std::vector<Id> ids;
  for (int i = 0; i < 20000; ++i) {
    Running& thread =
        *std::min_element(threads.begin(), threads.end(),
                          [](const Running& a, const Running& b) { return a.until < b.until; });
    fair.end(thread.turn, seconds(thread.cost));
    fair.order(ids);
    auto& source = *std::find_if(sources.begin(), sources.end(),
                                 [&](const Source& each) { return &each == ids.front(); });
    thread.turn = fair.begin(&source);
    thread.cost = source.cost();
    thread.until += thread.cost;
    source.used += thread.cost;
  }
  const double all = sources[0].used + sources[1].used + sources[2].used;
  EXPECT_NEAR(sources[0].used / all, 0.25, 0.01);
  EXPECT_NEAR(sources[1].used / all, 0.25, 0.01);
  EXPECT_NEAR(sources[2].used / all, 0.5, 0.01);
}

TEST(FairShare, a_turn_that_is_under_way_counts_for_who_comes_next) {
  FairShare fair;
  Source a{always(1)};
  Source b{always(1)};
  fair.add(&a, 1);
  fair.add(&b, 1);
  Thread thread(fair);
  thread.step({&a, &b});
  thread.step({&a, &b});
  std::vector<Id> ids;
  fair.order(ids);
  const Id first = ids.front();
  const FairShare::Turn turn = fair.begin(first);
  fair.order(ids);
  EXPECT_NE(ids.front(), first);
  fair.cancel(turn);
  fair.order(ids);
  EXPECT_EQ(ids.front(), first);
}

TEST(FairShare, order_names_all_that_were_added_and_not_removed) {
  FairShare fair;
  std::vector<Id> ids{nullptr};  // what was in it goes
  fair.order(ids);
  EXPECT_TRUE(ids.empty());
  const std::array<int, 3> sources{};
  for (const int& source : sources) {
    fair.add(&source, 1);
  }
  fair.order(ids);
  EXPECT_THAT(ids, UnorderedElementsAre(&sources[0], &sources[1], &sources[2]));
  fair.remove(&sources[1]);
  fair.order(ids);
  EXPECT_THAT(ids, UnorderedElementsAre(&sources[0], &sources[2]));
}

TEST(FairShare, who_went_away_during_its_turn_disturbs_nobody) {
  FairShare fair;
  Source stays{always(1)};
  Source goes{always(1)};
  fair.add(&stays, 1);
  fair.add(&goes, 1);
  const FairShare::Turn turn = fair.begin(&goes);
  fair.remove(&goes);
  fair.end(turn, seconds(5));
  fair.cancel(turn);
  fair.end(fair.begin(&goes), seconds(5));  // unknown by now
  std::vector<Id> ids;
  fair.order(ids);
  EXPECT_THAT(ids, ElementsAre(&stays));
  EXPECT_EQ(Thread(fair).step({&stays}), &stays);
}

// Two of equal weight; what each has cost so far is told to begin with.
class FairShareHeldUpTest : public ::testing::Test {
 protected:
  void learn(Id id, double cost) { fair_.end(fair_.begin(id), seconds(cost)); }

  FairShare fair_;
  const int heavy_{};
  const int other_{};
};

TEST_F(FairShareHeldUpTest, nothing_is_while_nothing_runs) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 1);
  EXPECT_FALSE(fair_.is_held_up(&other_));
  learn(&heavy_, 1);
  EXPECT_FALSE(fair_.is_held_up(&other_));
}

TEST_F(FairShareHeldUpTest, what_would_be_over_long_before_that_which_runs_is) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 1);
  learn(&heavy_, 0.010);
  learn(&other_, 0.001);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  EXPECT_TRUE(fair_.is_held_up(&other_));
  EXPECT_FALSE(fair_.is_held_up(&heavy_));
  EXPECT_FALSE(fair_.is_held_up(this));  // not a source
  fair_.end(turn, seconds(0.010));
  EXPECT_FALSE(fair_.is_held_up(&other_));
}

TEST_F(FairShareHeldUpTest, it_ends_with_the_share_of_the_turn_that_runs) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 1);
  learn(&heavy_, 0.010);
  learn(&other_, 0.001);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  double used = 0;
  while (fair_.is_held_up(&other_)) {
    learn(&other_, 0.001);
    used += 0.001;
    ASSERT_LT(used, 0.050);
  }
  EXPECT_NEAR(used, 0.018, 0.002);  // what it lagged behind, and the length of the turn
  fair_.end(turn, seconds(0.010));
}

TEST_F(FairShareHeldUpTest, it_follows_the_weights) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 3);
  learn(&heavy_, 0.010);
  learn(&other_, 0.001);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  double used = 0;
  while (fair_.is_held_up(&other_)) {
    learn(&other_, 0.001);
    used += 0.001;
    ASSERT_LT(used, 0.200);
  }
  EXPECT_NEAR(used, 0.058, 0.004);
  fair_.end(turn, seconds(0.010));
}

TEST_F(FairShareHeldUpTest, a_turn_of_like_length_is_not_whatever_its_weight) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 30);
  learn(&heavy_, 0.010);
  learn(&other_, 0.005);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  EXPECT_FALSE(fair_.is_held_up(&other_));
  fair_.cancel(turn);
}

TEST_F(FairShareHeldUpTest, brief_turns_hold_nothing_up) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 1);
  learn(&heavy_, 0.0001);
  learn(&other_, 0.00001);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  EXPECT_FALSE(fair_.is_held_up(&other_));
  fair_.cancel(turn);
}

TEST_F(FairShareHeldUpTest, a_first_turn_may_take_any_time) {
  fair_.add(&heavy_, 1);
  fair_.add(&other_, 1);
  const FairShare::Turn turn = fair_.begin(&heavy_);
  EXPECT_TRUE(fair_.is_held_up(&other_));
  EXPECT_FALSE(fair_.is_held_up(&heavy_));
  fair_.cancel(turn);
}

}  // namespace
}  // namespace maas
