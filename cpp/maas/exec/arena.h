// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace maas {

// A oneTBB arena of fixed width: the intra-op share of one executor. Owned by its executor thread,
// the only one that may call it; the oneTBB workers it borrows are joined to it per call.
class Arena {
 public:
  explicit Arena(int threads);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  [[nodiscard]] int threads() const noexcept { return threads_; }

  // Calls body(begin, end) for pieces that cover [0, n), at least `grain` long but the last.
  // Runs on this thread alone when the arena is one wide or there is one piece.
  void parallel_for(std::size_t n,
                    std::size_t grain,
                    const std::function<void(std::size_t, std::size_t)>& body);

 private:
  struct Impl;
  int threads_;
  std::unique_ptr<Impl> impl_;  // made when first needed
};

}  // namespace maas
