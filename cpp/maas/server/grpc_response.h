// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maas/batching/served_model.h"
#include "maas/server/infer_options.h"
#include "maas/tensor/tensor.h"

namespace maas {

// Appends a ModelInferResponse of the Open Inference Protocol, with all outputs as
// raw_output_contents.
void write_grpc_response(const ServedModel& model,
                         const InferOptions& options,
                         const std::vector<Tensor>& outputs,
                         std::string& message);

}  // namespace maas
