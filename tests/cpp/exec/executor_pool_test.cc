// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/executor_pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>

#include "on_threads.h"
#include <gtest/gtest.h>
#include <pthread.h>
#include <time.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Pieces of work to be done one after another, and what happens when one is.
class Pieces final : public WorkSource {
 public:
  explicit Pieces(std::function<void(const ExecutorContext&)> work) : work_(std::move(work)) {}

  void add(int pieces) { left_ += pieces; }
  Step run_one(const ExecutorContext& context, Ask /*ask*/) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      ++looks_;
      changed_.notify_all();
    }
    int left = left_.load();
    while (left > 0 && !left_.compare_exchange_weak(left, left - 1)) {
    }
    if (left <= 0) {
      return {.next = next.load()};
    }
    work_(context);
    return {.ran = true};
  }
  // Waits until run_one() was called `looks` times in all.
  void wait_for_looks(int looks) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return looks_ >= looks; });
  }
  int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  std::atomic<TimePoint> next{TimePoint::max()};

 private:
  std::function<void(const ExecutorContext&)> work_;
  std::atomic<int> left_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  int looks_ = 0;
};

class ExecutorPoolTest : public ::testing::Test {
 protected:
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
};

TEST_F(ExecutorPoolTest, serves_sources_in_turn) {
  ExecutorPool pool({.name = "p"}, clock_);
  std::latch ready(1);
  std::latch done(31);
  const auto gate = std::make_shared<Pieces>([&](const auto&) {
    ready.wait();
    done.count_down();
  });
  std::string order;
  const auto source = [&](char letter) {
    auto pieces = std::make_shared<Pieces>([&order, &done, letter](const auto&) {
      order += letter;
      done.count_down();
    });
    pieces->add(10);
    return pieces;
  };
  gate->add(1);
  pool.add(gate);
  gate->wait_for_looks(1);
  for (const char letter : {'a', 'b', 'c'}) {
    pool.add(source(letter));
  }
  ready.count_down();
  done.wait();
  std::string expected;
  for (int i = 0; i < 10; ++i) {
    expected += "abc";
  }
  EXPECT_EQ(order, expected);
}

TEST_F(ExecutorPoolTest, lends_an_arena_of_the_width_asked_for_and_names_its_threads) {
  ExecutorPool pool({.name = "lender", .threads = 1, .intra_op_threads = 3}, clock_);
  std::latch done(1);
  std::string name(16, '\0');
  const auto source = std::make_shared<Pieces>([&](const ExecutorContext& context) {
    EXPECT_EQ(context.arena->threads(), 3);
    EXPECT_EQ(context.intra_op_threads, 3);
    pthread_getname_np(pthread_self(), name.data(), name.size());
    done.count_down();
  });
  source->add(1);
  pool.add(source);
  done.wait();
  EXPECT_STREQ(name.c_str(), "lender-0");
}

TEST_F(ExecutorPoolTest, asks_for_brief_work_on_the_callers_thread_while_its_own_sleep) {
  ExecutorPool pool({.name = "p", .threads = 2, .intra_op_threads = 2, .shared = true}, clock_);
  std::thread::id ran;
  const auto source = std::make_shared<Pieces>([&](const ExecutorContext& context) {
    ran = std::this_thread::get_id();
    EXPECT_EQ(context.intra_op_threads, 1);
  });
  pool.add(source);
  ASSERT_TRUE(pool.settle(seconds(5)));
  EXPECT_FALSE(pool.run_here(source.get()));  // there is none
  source->add(1);
  EXPECT_TRUE(pool.run_here(source.get()));
  EXPECT_EQ(ran, std::this_thread::get_id());
  EXPECT_FALSE(pool.run_here(&ran));  // not a source
}

// A piece that runs until it is let go.
struct LongPiece {
  std::latch begun{1};
  std::latch go_on{1};
  std::shared_ptr<Pieces> source = std::make_shared<Pieces>([this](const auto&) {
    begun.count_down();
    go_on.wait();
  });

  void start(ExecutorPool& pool) {
    source->add(1);
    pool.wake(source.get());
    begun.wait();
  }
};

TEST_F(ExecutorPoolTest, does_no_work_on_the_callers_thread_unless_it_may) {
  ExecutorPool pool({.name = "keeps"}, clock_);
  const auto source = std::make_shared<Pieces>([](const auto&) {});
  pool.add(source);
  ASSERT_TRUE(pool.settle(seconds(5)));
  source->add(1);
  EXPECT_FALSE(pool.run_here(source.get()));
}

// One executor of a shared pool, with a long piece that occupies it and another source.
class HeldUpTest : public ExecutorPoolTest {
 protected:
  HeldUpTest() {
    pool_.add(busy_.source);
    pool_.add(other_);
    EXPECT_TRUE(pool_.settle(seconds(5)));
  }
  ~HeldUpTest() override { pool_.remove(busy_.source.get()); }
  void let_go() {
    busy_.go_on.count_down();
    EXPECT_TRUE(pool_.settle(seconds(5)));
  }

  ExecutorPool pool_{{.name = "shared", .shared = true}, clock_};
  LongPiece busy_;
  std::binary_semaphore done_{0};
  std::thread::id ran_on_;
  std::shared_ptr<Pieces> other_ = std::make_shared<Pieces>([this](const auto&) {
    ran_on_ = std::this_thread::get_id();
    done_.release();
  });
};

TEST_F(HeldUpTest, the_callers_thread_does_what_is_held_up_and_brief) {
  busy_.start(pool_);
  other_->add(1);
  EXPECT_TRUE(pool_.run_here(other_.get()));
  EXPECT_EQ(ran_on_, std::this_thread::get_id());
  EXPECT_FALSE(pool_.run_here(busy_.source.get()));  // what comes meanwhile makes its next batch
  let_go();
}

TEST_F(HeldUpTest, a_thread_more_does_what_is_held_up) {
  busy_.start(pool_);
  for (int i = 0; i < 3; ++i) {
    other_->add(1);
    pool_.wake(other_.get());
    done_.acquire();
    EXPECT_NE(ran_on_, std::this_thread::get_id());
  }
  let_go();
}

TEST_F(HeldUpTest, the_thread_more_does_no_work_of_a_source_that_runs) {
  busy_.start(pool_);
  const int looks = busy_.source->looks();
  busy_.source->add(1);
  pool_.wake(busy_.source.get());
  other_->add(1);
  pool_.wake(other_.get());
  done_.acquire();  // the thread more was there, and had the choice
  EXPECT_EQ(busy_.source->looks(), looks);
  let_go();
}

TEST_F(ExecutorPoolTest, leaves_brief_work_to_a_thread_that_sleeps_beside_a_busy_one) {
  ExecutorPool pool({.name = "shared", .threads = 2, .shared = true}, clock_);
  LongPiece busy;
  const auto other = std::make_shared<Pieces>([](const auto&) {});
  pool.add(busy.source);
  pool.add(other);
  busy.start(pool);
  other->add(1);
  while (pool.run_here(other.get())) {  // until the second thread has fallen asleep
    other->add(1);
  }
  busy.go_on.count_down();
  pool.remove(busy.source.get());
}

TEST_F(ExecutorPoolTest, runs_all_work_that_many_threads_announce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::latch done(std::ptrdiff_t{kThreads} * kEach);
  ExecutorPool pool({.name = "p", .threads = 3}, clock_);
  const auto source = std::make_shared<Pieces>([&](const auto&) { done.count_down(); });
  pool.add(source);
  const auto threads = testing::start_threads(kThreads, [&](std::size_t) {
    for (int i = 0; i < kEach; ++i) {
      source->add(1);
      pool.wake(nullptr);
    }
  });
  done.wait();  // a lost wake-up would leave work behind, with nobody to announce it again
}

TEST_F(ExecutorPoolTest, wakes_a_thread_for_each_source_that_asks) {
  ExecutorPool pool({.name = "p", .threads = 2}, clock_);
  std::latch both(2);  // opens only when both pieces run at once
  const auto meet = [&](const auto&) { both.arrive_and_wait(); };
  const auto a = std::make_shared<Pieces>(meet);
  const auto b = std::make_shared<Pieces>(meet);
  pool.add(a);
  pool.add(b);
  for (Pieces* source : {a.get(), b.get()}) {
    source->wait_for_looks(1);
  }
  {
    const WakeScope scope;
    a->add(1);
    WakeScope::request(pool, a.get());
    b->add(1);
    WakeScope::request(pool, b.get());
  }
  both.wait();
}

double cpu_seconds(pthread_t thread) {
  clockid_t id{};
  timespec time{};
  EXPECT_EQ(pthread_getcpuclockid(thread, &id), 0);
  EXPECT_EQ(clock_gettime(id, &time), 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

TEST_F(ExecutorPoolTest, sleeps_without_using_the_processor_until_the_time_a_source_named) {
  ExecutorPool pool({.name = "p"}, clock_);
  std::atomic<pthread_t> thread{};
  const auto source = std::make_shared<Pieces>([&](const auto&) { thread = pthread_self(); });
  source->next = clock_->now() + seconds(10);
  source->add(1);
  pool.add(source);
  source->wait_for_looks(2);  // the piece, and then nothing
  const int looks = source->looks();
  const double before = cpu_seconds(thread);
  const auto until = std::chrono::steady_clock::now() + milliseconds(50);
  while (std::chrono::steady_clock::now() < until) {
    clock_->advance(std::chrono::microseconds(1));
    ASSERT_LT(clock_->now(), source->next.load());
  }
  EXPECT_LT(cpu_seconds(thread) - before, 0.01);
  EXPECT_LE(source->looks(), looks + 1);
  clock_->advance(seconds(10));
  source->wait_for_looks(looks + 1);
}

TEST_F(ExecutorPoolTest, grows_to_as_many_threads_as_asked_and_never_shrinks) {
  ExecutorPool pool({.name = "p"}, clock_);
  EXPECT_EQ(pool.threads(), 1);
  pool.grow_to(4);
  EXPECT_EQ(pool.threads(), 4);
  pool.grow_to(2);
  EXPECT_EQ(pool.threads(), 4);
  std::latch all(4);
  const auto source = std::make_shared<Pieces>([&](const auto&) { all.arrive_and_wait(); });
  source->add(4);
  pool.add(source);
  for (int i = 0; i < 4; ++i) {
    pool.wake(nullptr);
  }
  all.wait();
}

TEST_F(ExecutorPoolTest, has_at_least_one_thread) {
  EXPECT_EQ(ExecutorPool({.name = "p", .threads = 0}, clock_).threads(), 1);
  EXPECT_EQ(ExecutorPool({.name = "p", .threads = -5}, clock_).threads(), 1);
}

TEST_F(ExecutorPoolTest, holds_a_removed_source_no_longer_and_asks_it_no_more) {
  ExecutorPool pool({.name = "p", .threads = 2}, clock_);
  for (int i = 0; i < 300; ++i) {
    std::atomic<bool> removed{false};
    const auto source =
        std::make_shared<Pieces>([&](const auto&) { EXPECT_FALSE(removed) << "asked again"; });
    source->add(1000000);
    pool.add(source);
    source->wait_for_looks(1);
    pool.remove(source.get());
    removed = true;
    EXPECT_EQ(source.use_count(), 1);
  }
}

TEST_F(ExecutorPoolTest, work_of_one_source_does_not_keep_another_one_alive) {
  ExecutorPool pool({.name = "p"}, clock_);
  std::latch started(1);
  std::latch finish(1);
  const auto slow = std::make_shared<Pieces>([&](const auto&) {
    started.count_down();
    finish.wait();
  });
  const auto other = std::make_shared<Pieces>([](const auto&) {});
  pool.add(other);
  slow->add(1);
  pool.add(slow);
  started.wait();
  pool.remove(other.get());
  EXPECT_EQ(other.use_count(), 1);
  finish.count_down();
}

TEST_F(ExecutorPoolTest, removing_waits_for_the_work_that_runs_and_for_no_other) {
  ExecutorPool pool({.name = "p", .threads = 2}, clock_);
  std::latch started(1);
  std::atomic<bool> finished{false};
  std::latch finish(1);
  const auto source = std::make_shared<Pieces>([&](const auto&) {
    started.count_down();
    finish.wait();
    finished = true;
  });
  source->add(1);
  pool.add(source);
  started.wait();
  const std::jthread remover([&] {
    pool.remove(source.get());
    EXPECT_TRUE(finished);
  });
  const auto unknown = std::make_shared<Pieces>([](const auto&) {});
  pool.remove(unknown.get());
  finish.count_down();
}

TEST_F(ExecutorPoolTest, sources_come_and_go_while_others_work) {
  ExecutorPool pool({.name = "p", .threads = 3}, clock_);
  constexpr int kPieces = 3000;
  std::latch done(kPieces);
  const auto steady = std::make_shared<Pieces>([&](const auto&) { done.count_down(); });
  pool.add(steady);
  const auto nothing = [](const auto&) {};
  const auto threads = testing::start_threads(2, [&](std::size_t) {
    for (int i = 0; i < 200; ++i) {
      const auto source = std::make_shared<Pieces>(nothing);
      source->add(1);
      pool.add(source);
      pool.remove(source.get());
    }
  });
  for (int i = 0; i < kPieces; ++i) {
    steady->add(1);
    pool.wake(nullptr);
  }
  done.wait();
}

TEST_F(ExecutorPoolTest, its_destructor_waits_for_the_work_that_runs) {
  std::atomic<bool> finished{false};
  std::latch started(1);
  std::latch finish(1);
  const auto source = std::make_shared<Pieces>([&](const auto&) {
    started.count_down();
    finish.wait();
    finished = true;
  });
  std::jthread opener;
  {
    ExecutorPool pool({.name = "p"}, clock_);
    source->add(1);
    pool.add(source);
    started.wait();
    opener = std::jthread([&] { finish.count_down(); });
  }
  EXPECT_TRUE(finished);
}

TEST_F(ExecutorPoolTest, can_be_made_and_destroyed_many_times) {
  const auto source = std::make_shared<Pieces>([](const auto&) {});
  for (int i = 0; i < 200; ++i) {
    ExecutorPool pool({.name = "p", .threads = 2}, clock_);
    source->add(3);
    pool.add(source);
    if (i % 2 == 0) {
      pool.remove(source.get());
    }
  }
}

}  // namespace
}  // namespace maas
