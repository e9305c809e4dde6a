// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "maas/base/request_id.h"
#include "maas/tensor/shape.h"

namespace maas::wire {

// What a server and its worker processes write for each other: messages of fixed size through a
// socket, and in shared memory the batch or the result that a message tells of. Both are always of
// one build on one machine, so nothing is converted. Whoever reads copies a struct out before it
// looks at it, and believes no count, offset or length.

inline constexpr std::uint32_t kMagic = 0x5341414dU;  // "MAAS"
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kAlignment = 64;                     // of a tensor's data
inline constexpr std::size_t kMostText = std::size_t{48} << 10U;  // behind a message

enum class Kind : std::uint16_t {
  // from the server
  kSetup = 1,  // what to load, in shared memory
  kRun,        // a batch, in shared memory
  kStop,
  // from the worker
  kReady,
  kFailed,  // why there is nothing to serve, as text
  kAnswer,  // a result, in shared memory
  kLog,     // request id, message and trace as text, with NULs between
};

struct Message {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  Kind kind = Kind::kReady;
  std::uint32_t slot = 0;      // which of the batches that run
  std::uint32_t model = 0;     // which of the worker's models
  std::uint64_t sequence = 0;  // of the run; its answer repeats it
  std::uint64_t size = 0;      // bytes in shared memory
  std::uint64_t capacity = 0;  // of the memory that comes with the message, 0 when none does
  std::uint32_t text = 0;      // bytes behind the message
  std::uint32_t detail = 0;    // of kLog its level; of kAnswer 1 when the batch's memory is in use
};

// A batch: this, inputs times TensorHeader, items times TensorHeader where it has origins, items
// times ItemHeader, items times std::atomic<bool> (set when the request is cancelled), then the
// data of the tensors. An origin is BYTES: target, identity, then name and value of each header;
// absent for a request without one.
struct BatchHeader {
  std::uint32_t inputs = 0;
  std::uint32_t items = 0;
  std::int64_t rows = 0;
  std::uint64_t has_origins = 0;
};

struct TensorHeader {
  std::uint8_t dtype = 0;
  std::uint8_t rank = 0;
  std::uint8_t absent = 0;
  std::int64_t dims[Shape::kMaxRank] = {};
  std::uint64_t offset = 0;  // from the start of the memory
  std::uint64_t length = 0;  // of BYTES: the end of each string as 8 bytes, then the strings
};

struct ItemHeader {
  char id[RequestId::kMaxSize] = {};
  std::uint8_t id_size = 0;
  std::int32_t priority = 0;
  std::int64_t rows = 0;
  std::int64_t deadline_ns = 0;  // of the machine's monotonic clock
};

// A result: this, outputs times TensorHeader, errors times ErrorHeader, then the data of the
// outputs and the texts of the errors.
struct ResultHeader {
  std::uint32_t outputs = 0;
  std::uint32_t errors = 0;
  std::uint32_t failed = 0;  // 1: the batch failed as a whole, and there is one error
  std::int64_t rows = 0;     // that errors may name
};

struct ErrorHeader {
  std::int64_t row = 0;
  std::uint8_t code = 0;
  std::uint8_t is_final = 0;
  std::uint8_t is_shared = 0;
  std::int32_t http_status = 0;
  std::int64_t retry_after_ns = 0;
  std::uint64_t offset = 0;
  std::uint64_t message = 0;  // bytes
  std::uint64_t detail = 0;   // bytes behind the message
};

static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) == 48);
static_assert(std::is_trivially_copyable_v<TensorHeader>);
static_assert(std::is_trivially_copyable_v<ErrorHeader>);
static_assert(std::atomic<bool>::is_always_lock_free && sizeof(std::atomic<bool>) == 1);

}  // namespace maas::wire
