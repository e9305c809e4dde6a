// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maas/base/metrics.h"

namespace maas {

// What is counted per pool of workers. Any thread may read and write it.
struct WorkerStats {
  Gauge live;       // workers that take batches
  Counter starts;   // of processes, the first ones included
  Counter deaths;   // of processes that nobody had told to stop
  Counter retries;  // batches that ran again because their worker died
  Counter alarms;   // see DeathWatch
};

}  // namespace maas
