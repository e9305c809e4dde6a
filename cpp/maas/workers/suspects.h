// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "maas/base/clock.h"
#include "maas/base/request_id.h"
#include "maas/runtime/model.h"

namespace maas {

// Names the inputs of one request: 128 bits under a key of this process, so that nobody can make
// two requests with one name. A value.
using Digest = std::array<std::uint64_t, 2>;

// Of item `index` of a batch.
Digest digest_of(const Batch& batch, std::size_t index, const Signature& signature);

// The requests that were in a worker when it died, by what they asked. One that was there alone
// twice is to blame: it is not run again for a while. One that was answered is no suspect any more.
// Bounded; not thread-safe.
class Suspects {
 public:
  static constexpr int kDeathsOfCulprit = 2;
  static constexpr std::size_t kMost = 1024;
  static constexpr Duration kMemory = std::chrono::minutes(10);

  struct Record {
    int alone = 0;     // deaths of a worker that ran nothing else
    RequestId last;    // the request of the latest death
    TimePoint latest;  // when that was
    [[nodiscard]] bool is_culprit() const noexcept { return alone >= kDeathsOfCulprit; }
  };

  // `alone`: the worker that died ran nothing else.
  void died(const Digest& digest, const RequestId& id, bool alone, TimePoint now);
  void answered(const Digest& digest) { records_.erase(digest); }
  [[nodiscard]] std::optional<Record> find(const Digest& digest, TimePoint now);
  [[nodiscard]] bool empty() const noexcept { return records_.empty(); }

 private:
  std::map<Digest, Record> records_;
};

}  // namespace maas
