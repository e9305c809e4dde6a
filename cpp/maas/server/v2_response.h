// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maas/server/catalog.h"
#include "maas/server/http.h"
#include "maas/server/infer_options.h"

namespace maas {

// Write JSON of the Open Inference Protocol.

// The answer to an inference request: JSON, and behind it the bytes of the outputs that are wanted
// so, where the model wrote them. Throws invalid_argument for an output that JSON cannot express.
void write_infer_response(const ServedModel& model,
                          const InferOptions& options,
                          const std::vector<Tensor>& outputs,
                          HttpResponse& response);

// {"name":...,"versions":[...],"platform":...,"inputs":[...],"outputs":[...]}. The versions are
// those that the catalogue has of the model's name.
// REQUIRES: `model` is in `catalog`
void write_model_metadata(const ServedModel& model, const Catalog& catalog, std::string& body);

}  // namespace maas
