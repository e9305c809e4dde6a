// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/fair_share.h"

#include <algorithm>
#include <chrono>
#include <tuple>

namespace maas {
namespace {

// Virtual seconds: about what it costs to wake a thread.
constexpr double kWorthWaking = 200e-6;
// How much longer than one's own a turn must be to be worth a thread more. Between turns of like
// length a thread more would turn every share into that of the threads.
constexpr double kBrief = 4;
constexpr double kNewest = 0.25;  // weight of the last turn in what is expected of the next

}  // namespace

void FairShare::add(Id id, double weight) {
  shares_.push_back({id, weight, now_});
}

void FairShare::remove(Id id) {
  std::erase_if(shares_, [&](const Share& share) { return share.id == id; });
}

FairShare::Share* FairShare::find(Id id) noexcept {
  const auto found = std::find_if(shares_.begin(), shares_.end(),
                                  [&](const Share& share) { return share.id == id; });
  return found == shares_.end() ? nullptr : &*found;
}

void FairShare::order(std::vector<Id>& ids) {
  // Virtual starts; among equals who ran longest ago.
  std::sort(shares_.begin(), shares_.end(), [&](const Share& a, const Share& b) {
    return std::tuple(std::max(now_, a.finish), a.last) <
           std::tuple(std::max(now_, b.finish), b.last);
  });
  ids.clear();
  for (const Share& share : shares_) {
    ids.push_back(share.id);
  }
}

FairShare::Turn FairShare::begin(Id id) {
  Share* const share = find(id);
  if (share == nullptr) {
    return {id, now_, 0};
  }
  const Turn turn{id, std::max(now_, share->finish), share->expected / share->weight};
  share->finish = turn.start + turn.charged;
  ++share->running;
  return turn;
}

void FairShare::end(const Turn& turn, Duration cost) {
  now_ = std::max(now_, turn.start);
  if (Share* const share = find(turn.id)) {
    const double seconds = std::chrono::duration<double>(cost).count();
    share->finish += seconds / share->weight - turn.charged;
    --share->running;
    share->expected =
        share->last == 0 ? seconds : share->expected + kNewest * (seconds - share->expected);
    share->last = ++turns_;
  }
}

void FairShare::cancel(const Turn& turn) {
  if (Share* const share = find(turn.id)) {
    share->finish -= turn.charged;
    --share->running;
  }
}

bool FairShare::is_held_up(Id id) const noexcept {
  const auto own = std::find_if(shares_.begin(), shares_.end(),
                                [&](const Share& share) { return share.id == id; });
  if (own == shares_.end() || own->running > 0) {
    return false;
  }
  const double over = std::max(now_, own->finish) + own->expected / own->weight + kWorthWaking;
  const auto holds_up = [&](const Share& other) {
    const bool unknown = other.last == 0;  // a first turn may take any time
    return unknown || (kBrief * own->expected <= other.expected && over <= other.finish);
  };
  const auto runs = [](const Share& share) { return share.running > 0; };
  return std::any_of(shares_.begin(), shares_.end(), runs) &&
         std::all_of(shares_.begin(), shares_.end(),
                     [&](const Share& share) { return !runs(share) || holds_up(share); });
}

}  // namespace maas
