// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "maas/base/clock.h"

namespace maas {

// Among requests that wait, a lower number goes first: 1 before 2. A request that has waited for
// kPriorityAgeing is treated as one of the next better number, so that none waits for ever.
inline constexpr int kHighestPriority = 1;
inline constexpr int kDefaultPriority = 5;
inline constexpr int kLowestPriority = 10;
inline constexpr Duration kPriorityAgeing = std::chrono::milliseconds(500);

}  // namespace maas
