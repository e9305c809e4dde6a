// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/admission.h"

#include <algorithm>
#include <limits>
#include <string>

#include "maas/base/error.h"

namespace maas {
namespace {

// Expectations are means: a request that would just make it often does not.
Duration with_margin(Duration expected) noexcept {
  return expected + expected / 10;
}

}  // namespace

Status Admission::prepare(Job& job, TimePoint now) const {
  Request& request = job.request;
  job.place = {};
  job.place.submitted = now;
  const Result<std::int64_t> rows = check_inputs(rules_.signature, request.inputs);
  if (!rows) {
    return rows.error();
  }
  request.rows = *rows;
  const Result<std::int64_t> length = rules_.padding.prepare(request.inputs, request.rows);
  if (!length) {
    return length.error();
  }
  job.place.length = *length;
  const std::int64_t most = rules_.options.max_batch_tokens;
  if (most > 0 && *length > most) {
    return Error(ErrorCode::kInvalidArgument, "the request is " + std::to_string(*length) +
                                                  " long, the model takes at most " +
                                                  std::to_string(most) + " (max_batch_tokens)");
  }
  std::size_t bytes = 0;
  for (const Tensor& input : request.inputs) {
    bytes += input.held_bytes();
  }
  if (!rules_.bytes.try_take(bytes)) {
    return Error(ErrorCode::kOverloaded,
                 "the server holds too many bytes of requests (max_held_bytes); try again later");
  }
  job.place.bytes = bytes;
  return ok_status();
}

std::int64_t Admission::most_rows(const Job& job) const noexcept {
  const BatchOptions& options = rules_.options;
  if (options.whole_requests) {
    return std::numeric_limits<std::int64_t>::max();
  }
  if (options.max_batch_tokens == 0 || job.place.length == 0) {
    return options.max_batch_size;
  }
  return std::min(options.max_batch_size, options.max_batch_tokens / job.place.length);
}

Status Admission::check_room(const Load& load, std::size_t places) const {
  if (load.queue.size() + places <= rules_.options.max_queue_size) {
    return ok_status();
  }
  return Error(ErrorCode::kOverloaded, "the queue of " +
                                           std::to_string(rules_.options.max_queue_size) +
                                           " requests is full; try again later")
      .with_retry_after(backlog(load, TimePoint::max()).value_or(Duration::zero()));
}

Status Admission::check_deadline(const Load& load, const Job& job, TimePoint now) const {
  const Deadline deadline = job.request.deadline;
  const bool idle = load.queue.empty() && load.running < rules_.options.executors;
  if (deadline.is_never() || idle) {
    return ok_status();
  }
  if (deadline.expired(now)) {
    return Error(ErrorCode::kDeadlineExceeded, "the deadline had passed when the request came");
  }
  const auto wait = backlog(load, rank_of(now, job.request.priority));
  const auto own = load.service.until(1, units_of(job, rules_.padding.enabled()));
  if (!wait || !own || deadline.at() > now + with_margin(*wait + *own)) {
    return ok_status();
  }
  return Error(ErrorCode::kOverloaded,
               "too much work waits to answer before the deadline; try again later")
      .with_retry_after(*wait);
}

std::optional<Duration> Admission::backlog(const Load& load, TimePoint rank) {
  const WaitQueue::Work work = load.queue.work_before(rank);
  return load.service.until(work.calls + load.running, work.units);
}

}  // namespace maas
