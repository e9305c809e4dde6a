// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/arena.h"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

using Pieces = std::vector<std::pair<std::size_t, std::size_t>>;

Pieces split(int threads, std::size_t n, std::size_t grain) {
  Arena arena(threads);
  std::mutex mutex;
  Pieces pieces;
  arena.parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
    const std::lock_guard lock(mutex);
    pieces.emplace_back(begin, end);
  });
  return pieces;
}

// How often each element of the range was given out.
std::vector<int> visits(int threads, std::size_t n, std::size_t grain) {
  std::vector<int> seen(n);
  for (const auto& [begin, end] : split(threads, n, grain)) {
    EXPECT_LT(begin, end);
    EXPECT_TRUE(end - begin >= grain || end == n);
    for (std::size_t i = begin; i < end; ++i) {
      ++seen.at(i);
    }
  }
  return seen;
}

void expect_covered(int threads, std::size_t grain) {
  for (const std::size_t n : {0, 1, 7, 64, 1000, 1001}) {
    EXPECT_EQ(visits(threads, n, grain), std::vector<int>(n, 1))
        << threads << " " << n << " " << grain;
  }
}

TEST(Arena, covers_the_range_exactly_once_in_pieces_of_at_least_the_grain) {
  for (const int threads : {1, 2, 4}) {
    for (const std::size_t grain : {0, 1, 3, 64, 5000}) {
      expect_covered(threads, grain);
    }
  }
}

TEST(Arena, one_wide_or_one_piece_runs_on_the_calling_thread_alone) {
  for (const auto& [threads, grain] : {std::pair(1, 1), std::pair(4, 1000)}) {
    Arena arena(threads);
    Pieces pieces;
    std::thread::id ran_on;
    arena.parallel_for(1000, static_cast<std::size_t>(grain),
                       [&](std::size_t begin, std::size_t end) {
                         pieces.emplace_back(begin, end);
                         ran_on = std::this_thread::get_id();
                       });
    EXPECT_EQ(pieces, (Pieces{{0, 1000}}));
    EXPECT_EQ(ran_on, std::this_thread::get_id());
  }
}

TEST(Arena, has_at_least_one_thread) {
  EXPECT_EQ(Arena(0).threads(), 1);
  EXPECT_EQ(Arena(-3).threads(), 1);
  EXPECT_EQ(Arena(2).threads(), 2);
}

TEST(Arena, hands_an_exception_to_the_caller_and_can_be_used_again) {
  Arena arena(2);
  EXPECT_THROW(
      arena.parallel_for(1000, 1, [](std::size_t, std::size_t) { throw std::runtime_error("no"); }),
      std::runtime_error);
  std::atomic<std::size_t> sum{0};
  arena.parallel_for(1000, 10, [&](std::size_t begin, std::size_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 1000U);
}

}  // namespace
}  // namespace maas
