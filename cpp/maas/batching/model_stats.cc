// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/model_stats.h"

namespace maas {
namespace {

// From 10 microseconds to 30 seconds, about three a decade.
constexpr std::array kSeconds = {1e-5,   2.5e-5, 5e-5, 1e-4,   2.5e-4, 5e-4, 1e-3,
                                 2.5e-3, 5e-3,   1e-2, 2.5e-2, 5e-2,   0.1,  0.25,
                                 0.5,    1.0,    2.5,  5.0,    10.0,   30.0};
constexpr std::array kRows = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0};

}  // namespace

ModelStats::ModelStats()
    : queue_seconds(kSeconds),
      batch_seconds(kSeconds),
      compute_seconds(kSeconds),
      total_seconds(kSeconds),
      batch_rows(kRows) {}

}  // namespace maas
