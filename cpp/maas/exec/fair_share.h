// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "maas/base/clock.h"

namespace maas {

// Who of several comes next when each is to get its share of the time, by weight: start-time fair
// queueing (Goyal, Vin and Cheng 1996) over measured costs. Who has been idle comes next and cannot
// save up time; who floods gets its share and no more. Deficit round robin gives the same shares,
// but lets who comes back wait for a round. Not thread-safe: guarded by its owner's lock.
class FairShare {
 public:
  using Id = const void*;
  // A turn that was begun: what it was charged in advance.
  struct Turn {
    Id id;
    double start;
    double charged;
  };

  void add(Id id, double weight);
  void remove(Id id);
  // All, in the order in which they should be asked whether they have work.
  void order(std::vector<Id>& ids);

  // One is asked, and charged what it usually costs until that is known.
  Turn begin(Id id);
  // It had work, which took so long; or it had none.
  void end(const Turn& turn, Duration cost);
  void cancel(const Turn& turn);

  // Whether one waits only because nobody takes work from a thread that has begun it: its turn is
  // brief beside those that run now, and would be over before any of them if each got its share at
  // every moment instead of by turns (generalised processor sharing).
  [[nodiscard]] bool is_held_up(Id id) const noexcept;

 private:
  struct Share {
    Id id;
    double weight;
    double finish = 0;    // virtual time up to which it has been served
    double expected = 0;  // seconds that a turn of it takes
    std::uint64_t last = 0;
    int running = 0;  // turns that were begun and are not over
  };
  Share* find(Id id) noexcept;

  std::vector<Share> shares_;
  double now_ = 0;  // virtual time: when the turn that ran last began
  std::uint64_t turns_ = 0;
};

}  // namespace maas
