// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/reaper.h"

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "on_threads.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Reaper, runs_what_was_posted_before_its_destructor_returns) {
  std::atomic<int> ran{0};
  const auto count = [&] { ++ran; };
  {
    Reaper reaper;
    for (int i = 0; i < 100; ++i) {
      reaper.post(count);
    }
  }
  EXPECT_EQ(ran, 100);
}

TEST(Reaper, runs_work_in_order_on_one_thread_of_its_own) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  auto reaper = std::make_unique<Reaper>();
  for (int i = 0; i < 10; ++i) {
    reaper->post([&, i] {
      order.push_back(i);
      threads.push_back(std::this_thread::get_id());
    });
  }
  reaper.reset();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_NE(threads.front(), std::this_thread::get_id());
  EXPECT_EQ(threads, std::vector(10, threads.front()));
}

TEST(Reaper, destroys_the_captures_on_its_own_thread_and_before_later_work) {
  std::thread::id destroyed_on;
  bool destroyed = false;
  bool destroyed_first = false;
  std::thread::id reaper_thread;
  {
    Reaper reaper;
    std::shared_ptr<void> token(nullptr, [&](void*) {
      destroyed_on = std::this_thread::get_id();
      destroyed = true;
    });
    reaper.post([token = std::move(token)] {});
    reaper.post([&] {
      destroyed_first = destroyed;
      reaper_thread = std::this_thread::get_id();
    });
  }
  EXPECT_TRUE(destroyed_first);
  EXPECT_EQ(destroyed_on, reaper_thread);
}

TEST(Reaper, posting_never_waits_for_work_that_is_slow) {
  Reaper reaper;
  std::promise<void> gate;
  reaper.post([opened = gate.get_future()]() mutable { opened.wait(); });
  for (int i = 0; i < 1000; ++i) {
    reaper.post([] {});
  }
  gate.set_value();
}

TEST(Reaper, runs_work_that_work_posts_while_it_is_destroyed) {
  std::atomic<int> ran{0};
  const auto count = [&] { ++ran; };
  std::promise<void> gate;
  {
    Reaper reaper;
    const auto post_one = [&] {
      reaper.post(count);
      count();
    };
    reaper.post([&reaper, post_one, opened = gate.get_future()]() mutable {
      opened.wait();
      reaper.post(post_one);
    });
    gate.set_value();
  }
  EXPECT_EQ(ran, 2);
}

TEST(Reaper, takes_work_from_many_threads) {
  std::atomic<int> ran{0};
  const auto count = [&] { ++ran; };
  auto reaper = std::make_unique<Reaper>();
  testing::run_on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 500; ++i) {
      reaper->post(count);
    }
  });
  reaper.reset();
  EXPECT_EQ(ran, 2000);
}

TEST(Reaper, can_be_made_and_destroyed_many_times) {
  const auto nothing = [] {};
  for (int i = 0; i < 200; ++i) {
    Reaper reaper;
    if (i % 2 == 0) {
      reaper.post(nothing);
    }
  }
}

TEST(Reaper, flush_waits_for_what_was_posted_before_and_gives_up_on_what_never_ends) {
  std::promise<void> gate;
  std::atomic<bool> done{false};
  Reaper reaper;
  reaper.post([&] { done = true; });
  EXPECT_TRUE(reaper.flush(std::chrono::seconds(30)));
  EXPECT_TRUE(done);
  reaper.post([&] { gate.get_future().wait(); });
  EXPECT_FALSE(reaper.flush(std::chrono::milliseconds(1)));
  gate.set_value();
}

}  // namespace
}  // namespace maas
