// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/assembler.h"

#include <algorithm>
#include <string>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

[[noreturn]] void fail(const std::string& sentence) {
  throw Error(ErrorCode::kInternal, sentence);
}

void check_rows(const Signature& signature,
                const TensorSpec& spec,
                const Shape& shape,
                std::int64_t rows) {
  if (signature.batch_dim && (shape.rank() == 0 || shape[0] != rows)) {
    fail("output '" + spec.name + "' has shape " + shape.to_string() +
         ", its first dimension must be the " + std::to_string(rows) + " rows of the batch");
  }
}

void check_declared(const Signature& signature, const TensorSpec& spec, const Tensor& output) {
  if (spec.row &&
      (!output.shape().fits(signature.wire_shape(spec)) || output.dtype() != spec.dtype)) {
    fail("output '" + spec.name + "' is " + std::string(numpy_name(output.dtype())) + " " +
         output.shape().to_string() + ", declared is " + std::string(numpy_name(spec.dtype)) + " " +
         signature.wire_shape(spec).to_string());
  }
}

}  // namespace

Assembler::Stack Assembler::stack(const Jobs& jobs) const {
  Stack stack;
  Batch& batch = stack.batch;
  batch.rows = 0;
  batch.items.reserve(jobs.size());
  for (const auto& job : jobs) {
    const Request& request = job->request;
    batch.rows += request.rows;
    batch.items.push_back({request.id, request.rows, request.deadline, job->cancellation(),
                           request.priority, request.origin, request.inbound, request.local_call});
    stack.length = std::max(stack.length, job->place.length);
  }
  if (jobs.size() == 1) {
    batch.inputs = jobs.front()->request.inputs;
    return stack;
  }
  std::vector<Tensor> parts(jobs.size());
  for (std::size_t i = 0; i < signature_.inputs.size(); ++i) {
    const Tensor& first = jobs.front()->request.inputs[i];
    if (first.is_absent() || !signature_.has_rows(signature_.inputs[i])) {
      batch.inputs.push_back(first);  // the same in all of them
      continue;
    }
    std::transform(jobs.begin(), jobs.end(), parts.begin(),
                   [&](const auto& job) { return job->request.inputs[i]; });
    batch.inputs.push_back(padding_.stack(i, parts, stack.length));
  }
  return stack;
}

void Assembler::check(const BatchResult& result, std::int64_t rows) const {
  if (!result.row_errors.empty() && std::cmp_not_equal(result.row_errors.size(), rows)) {
    fail("the model returned " + std::to_string(result.row_errors.size()) + " row errors for " +
         std::to_string(rows) + " rows");
  }
  if (!result.streams.empty() && std::cmp_not_equal(result.streams.size(), rows)) {
    fail("the model returned " + std::to_string(result.streams.size()) + " streams for " +
         std::to_string(rows) + " rows");
  }
  if (result.outputs.size() != signature_.outputs.size()) {
    fail("the model returned " + std::to_string(result.outputs.size()) + " outputs, " +
         std::to_string(signature_.outputs.size()) + " are declared");
  }
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    check_rows(signature_, signature_.outputs[i], result.outputs[i].shape(), rows);
    check_declared(signature_, signature_.outputs[i], result.outputs[i]);
  }
}

Result<std::vector<Tensor>> Assembler::take(const BatchResult& result,
                                            const Job& job,
                                            std::int64_t first,
                                            std::int64_t length) const {
  const std::int64_t rows = job.request.rows;
  for (std::int64_t row = first; row < first + rows && !result.row_errors.empty(); ++row) {
    if (const auto& error = result.row_errors[static_cast<std::size_t>(row)]) {
      return *error;
    }
  }
  std::vector<Tensor> outputs;
  outputs.reserve(result.outputs.size());
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    const Tensor& whole = result.outputs[i];
    outputs.push_back(padding_.cut(i, signature_.batch_dim ? whole.rows(first, rows) : whole,
                                   length, job.place.length));
  }
  return outputs;
}

}  // namespace maas
