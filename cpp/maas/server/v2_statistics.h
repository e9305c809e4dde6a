// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "maas/batching/served_model.h"

namespace maas {

// Appends the statistics extension's JSON, {"model_stats":[...]}, of these models.
void write_statistics(std::span<const std::shared_ptr<ServedModel>> models, std::string& body);

}  // namespace maas
