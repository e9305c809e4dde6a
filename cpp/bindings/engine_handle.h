// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "gil.h"

#include "maas/batching/engine.h"

namespace maas {

// What Python holds of an Engine, with the clock it was made with.
struct EngineHandle {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<ManualClock> manual;  // null when time is the machine's
};

// What Python holds of a live model. The engine outlives it: members die in reverse order.
struct ModelHandle {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<ServedModel> served;
};

}  // namespace maas
