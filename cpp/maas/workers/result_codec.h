// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "maas/base/result.h"
#include "maas/runtime/model.h"
#include "maas/workers/shared_memory.h"

namespace maas {

// How the answer to a batch lies in shared memory.
std::size_t result_size(const Result<BatchResult>& result) noexcept;

// REQUIRES: the memory holds result_size() bytes
void write_result(const Result<BatchResult>& result, const SharedMemory& memory) noexcept;

// A copy of the answer to a batch of `rows` rows, which may be the error of the whole batch.
// Nothing is believed of what the other process wrote: nothing is given when it is no such answer.
std::optional<Result<BatchResult>> read_result(const SharedMemory& memory, std::int64_t rows);

}  // namespace maas
