// SPDX-License-Identifier: Apache-2.0
#include "maas/server/withdrawals.h"

namespace maas {
namespace {

std::size_t place_of(Withdrawal withdrawal) noexcept {
  return 2 * static_cast<std::size_t>(withdrawal.reason) + (withdrawal.queued ? 0 : 1);
}

}  // namespace

void Withdrawals::add(const ServedModel& served, Withdrawal withdrawal) {
  counts_.with(
      [&](auto& counts) { ++counts[{served.name(), served.version()}][place_of(withdrawal)]; });
}

Withdrawals::Counts Withdrawals::of(const std::string& model, int version) const {
  return counts_.with([&](const auto& counts) {
    const auto found = counts.find({model, version});
    return found == counts.end() ? Counts{} : found->second;
  });
}

}  // namespace maas
