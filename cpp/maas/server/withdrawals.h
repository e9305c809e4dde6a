// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "maas/base/guarded.h"
#include "maas/batching/served_model.h"

namespace maas {

// That a job was taken back from its model before it was answered.
struct Withdrawal {
  enum class Reason : std::uint8_t { kClientLeft, kDeadline, kShutdown };
  Reason reason;
  bool queued;  // it had not begun to run
};

// Counts them per model version. Any thread may call it; a lock is enough for what is rare.
class Withdrawals {
 public:
  struct Kind {
    Withdrawal withdrawal;
    std::string_view reason;  // "client_left"
    std::string_view stage;   // "queued" or "running"
  };
  static constexpr std::array<Kind, 6> kKinds = {{
      {{Withdrawal::Reason::kClientLeft, true}, "client_left", "queued"},
      {{Withdrawal::Reason::kClientLeft, false}, "client_left", "running"},
      {{Withdrawal::Reason::kDeadline, true}, "deadline", "queued"},
      {{Withdrawal::Reason::kDeadline, false}, "deadline", "running"},
      {{Withdrawal::Reason::kShutdown, true}, "shutdown", "queued"},
      {{Withdrawal::Reason::kShutdown, false}, "shutdown", "running"},
  }};
  using Counts = std::array<std::uint64_t, kKinds.size()>;  // in the order of kKinds

  void add(const ServedModel& served, Withdrawal withdrawal);
  [[nodiscard]] Counts of(const std::string& model, int version) const;

 private:
  Guarded<std::map<std::pair<std::string, int>, Counts>> counts_;
};

}  // namespace maas
