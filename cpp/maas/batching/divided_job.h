// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "maas/base/result.h"
#include "maas/base/unique_function.h"
#include "maas/batching/job.h"
#include "maas/runtime/signature.h"

namespace maas {

// A request with more rows than one batch may have becomes parts that fit, each a job of its own
// over the same memory; their answers become one again. `rejoined` is called once, by whoever
// answers the last part, with the whole's answer: its rows in their order, or the error of the
// first part that failed. The parts are cancelled with the whole.
// REQUIRES: a model with a batch dimension, rows_each >= 1
std::vector<std::shared_ptr<Job>> divide(const std::shared_ptr<Job>& whole,
                                         const Signature& signature,
                                         std::int64_t rows_each,
                                         UniqueFunction<void(Job& whole, Result<Reply>)> rejoined);

}  // namespace maas
