// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batch_run.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

double seconds(Duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

std::int64_t milliseconds_now() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::shared_ptr<ItemStream> stream_of(const BatchResult& result, std::size_t row) {
  return result.streams.empty() ? nullptr : result.streams[row];
}

}  // namespace

BatchRun::BatchRun(const Means& means, ErrorSplit::Group group)
    : means_(means), group_(std::move(group)), started_(means.clock.now()), computing_(started_) {}

BatchRun::~BatchRun() {
  finish(Error(ErrorCode::kInternal, "the model gave no answer").as_final());
  if (streams_ > 0) {
    compute_ = means_.clock.now() - computing_;
    means_.owner.ended(*this);
  }
}

void BatchRun::start(const ExecutorContext& context) noexcept {
  try {
    Assembler::Stack stack = means_.assembler.stack(group_.jobs);
    rows_ = stack.batch.rows;
    length_ = stack.length;
    for (const auto& job : group_.jobs) {
      tokens_ += job->request.rows * job->place.length;
    }
    computing_ = means_.clock.now();
    means_.model.run(std::move(stack.batch), context,
                     [self = shared_from_this()](Result<BatchResult> result) {
                       self->finish(std::move(result));
                     });
  } catch (...) {
    finish(current_error());
  }
}

void BatchRun::finish(Result<BatchResult> result) noexcept {
  if (finished_.exchange(true)) {
    return;  // the model answered and then threw, or was dropped
  }
  const TimePoint now = means_.clock.now();
  compute_ = now - computing_;
  if (result) {  // before anybody has an answer: who has one finds it in the statistics
    means_.inference.count_batch(rows_, {1, computing_ - started_, compute_, {}});
    means_.inference.set_last(milliseconds_now());
  }
  const std::optional<Error> failure = result ? deliver(*result, now) : result.error();
  output_ = means_.clock.now() - now;
  if (result) {
    means_.inference.add_output(rows_, output_);
  }
  failed_ = failure.has_value();
  means_.owner.settled(*this, failure);
  if (streams_ == 0) {
    means_.owner.ended(*this);
  }
}

// Why the jobs that stay in the group have no answer, if any do.
std::optional<Error> BatchRun::deliver(const BatchResult& result, TimePoint now) noexcept {
  try {
    means_.assembler.check(result, rows_);
  } catch (...) {
    return current_error().as_final();
  }
  try {
    return scatter(result, now);
  } catch (...) {
    // Some have their answer already: the others fail.
    group_.jobs.erase(group_.jobs.begin(),
                      group_.jobs.begin() + static_cast<std::ptrdiff_t>(settled_));
    std::move(suspects_.begin(), suspects_.end(), std::back_inserter(group_.jobs));
    return current_error().as_final();
  }
}

std::optional<Error> BatchRun::scatter(const BatchResult& result, TimePoint now) {
  std::optional<Error> failure;
  std::int64_t first = 0;
  for (const auto& job : group_.jobs) {
    Result<std::vector<Tensor>> outputs = means_.assembler.take(result, *job, first, length_);
    first += job->request.rows;
    if (!outputs && outputs.error().is_shared()) {
      suspects_.push_back(job);
      failure = outputs.error();
    } else if (!outputs) {
      means_.owner.answer(*job, outputs.error(), now);
    } else {
      Reply reply;
      reply.outputs = *std::move(outputs);
      reply.stream = stream_of(result, static_cast<std::size_t>(first - job->request.rows));
      streams_ += reply.stream != nullptr ? 1 : 0;
      reply.timings = {.queue = started_ - job->place.submitted,
                       .input = computing_ - started_,
                       .compute = now - computing_,
                       .output = means_.clock.now() - now,
                       .batch_rows = rows_};
      means_.owner.answer(*job, std::move(reply), now);
    }
    ++settled_;
  }
  if (failure) {
    group_.jobs = std::move(suspects_);
  }
  return failure;
}

void BatchRun::count_in(ModelStats& stats) const noexcept {
  stats.batch_rows.observe(static_cast<double>(rows_));
  stats.compute_seconds.observe(seconds(compute_));
  stats.batch_seconds.observe(seconds(computing_ - started_ + output_));
  stats.in_flight.add(-streams_);
  if (length_ > 0) {
    stats.tokens.add(static_cast<std::uint64_t>(tokens_));
    stats.padding_tokens.add(static_cast<std::uint64_t>(rows_ * length_ - tokens_));
  }
}

}  // namespace maas
