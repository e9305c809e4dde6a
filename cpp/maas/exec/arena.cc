// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/arena.h"

#include <algorithm>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

namespace maas {

struct Arena::Impl {
  explicit Impl(int threads) : arena(threads) {}
  tbb::task_arena arena;
};

Arena::Arena(int threads) : threads_(std::max(threads, 1)) {}
Arena::~Arena() = default;

void Arena::parallel_for(std::size_t n,
                         std::size_t grain,
                         const std::function<void(std::size_t, std::size_t)>& body) {
  const std::size_t step = std::max<std::size_t>(grain, 1);
  if (threads_ == 1 || n <= step) {
    if (n > 0) {
      body(0, n);
    }
    return;
  }
  if (!impl_) {
    impl_ = std::make_unique<Impl>(threads_);
  }
  // Split by steps, not by elements: oneTBB halves a range down to half its grain.
  const std::size_t steps = n / step + (n % step == 0 ? 0 : 1);
  impl_->arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, steps),
                      [&](const tbb::blocked_range<std::size_t>& piece) {
                        const bool last = piece.end() == steps;
                        body(piece.begin() * step, last ? n : piece.end() * step);
                      });
  });
}

}  // namespace maas
