// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "maas/base/cancellation.h"
#include "maas/base/clock.h"
#include "maas/base/priority.h"
#include "maas/base/request_id.h"
#include "maas/base/result.h"
#include "maas/base/unique_function.h"
#include "maas/exec/executor_pool.h"
#include "maas/runtime/item_stream.h"
#include "maas/runtime/origin.h"
#include "maas/runtime/signature.h"
#include "maas/tensor/tensor.h"

namespace maas {

// What a model may know of a request in its batch.
struct BatchItem {
  RequestId id;
  std::int64_t rows = 1;
  Deadline deadline;
  std::shared_ptr<const Cancellation> cancellation;
  int priority = kDefaultPriority;
  std::shared_ptr<const Origin> origin{};  // null unless it was asked for
  std::shared_ptr<ItemStream> inbound{};   // what the caller sends meanwhile; null for nothing
  // The number of a call by code of this process, which keeps the values and takes the answer that
  // go by reference; 0 for none.
  std::uint64_t local_call = 0;
};

// Rows of one or more requests, stacked: what a model runs at once.
struct Batch {
  std::vector<Tensor> inputs;  // in signature order, each with `rows` as leading dimension
  std::int64_t rows = 1;
  std::vector<BatchItem> items;  // in the order of their rows; none when it warms up
};

struct BatchResult {
  std::vector<Tensor> outputs;  // in signature order, leading dimension = rows
  // Per row, why it has no answer; empty when every row has one. Rows that failed together, so that
  // one of them may be to blame for all, have an error that is_shared().
  std::vector<std::optional<Error>> row_errors{};
  // Per row, what follows its outputs, for a model that answers bit by bit; else empty. The batch
  // runs until the model lets go of its BatchDone.
  std::vector<std::shared_ptr<ItemStream>> streams{};
};

using BatchDone = UniqueFunction<void(Result<BatchResult>)>;

// Something that answers batches: a network of a back-end, or a Python callable. Shared by all the
// executors that run it; every method may be called from any thread, also from several at once.
class Model {
 public:
  virtual ~Model() = default;

  // Constant for the model's life.
  [[nodiscard]] virtual const Signature& signature() const noexcept = 0;
  // The protocol's name of what runs it: "pytorch_torchscript", "python".
  [[nodiscard]] virtual std::string_view platform() const noexcept = 0;

  // Runs one batch and calls `done` exactly once: before it returns, or later from another thread
  // when the model is asynchronous. May throw instead of calling it.
  virtual void run(Batch batch, const ExecutorContext& context, BatchDone done) = 0;

  // Runs rows of zeros, so that the first request does not pay for what a back-end does at its
  // first call. Does nothing when a shape is not declared or is given by an input. Throws what the
  // model throws.
  virtual void warm_up(std::int64_t rows, const ExecutorContext& context);
};

}  // namespace maas
