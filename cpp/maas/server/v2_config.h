// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maas/batching/served_model.h"

namespace maas {

// Appends the model configuration extension's JSON, made from the model as it is served: what a
// client that was written for Triton asks before it sends anything.
void write_model_config(const ServedModel& model, std::string& body);

}  // namespace maas
