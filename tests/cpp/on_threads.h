// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace maas::testing {

// Calls body(0), body(1) and so on, each on a thread of its own and all at once. The threads are
// joined when what is returned is destroyed.
template <typename Body>
[[nodiscard]] std::vector<std::jthread> start_threads(std::size_t count, const Body& body) {
  const auto start = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(count));
  std::vector<std::jthread> threads;
  threads.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([start, body, i] {
      start->arrive_and_wait();
      body(i);
    });
  }
  return threads;
}

// The same, and joins them.
template <typename Body>
void run_on_threads(std::size_t count, const Body& body) {
  const auto threads = start_threads(count, body);
}

}  // namespace maas::testing
