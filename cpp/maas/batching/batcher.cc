// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batcher.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "maas/batching/divided_job.h"

namespace maas {
namespace {

double seconds(Duration duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

// What a job that left the queue unrun is told.
Error why_gone(const Job& job) {
  return job.cancelled() ? Error(ErrorCode::kCancelled, "the client left")
                         : Error(ErrorCode::kDeadlineExceeded, "the deadline passed in the queue");
}

// Whether other requests in the batch may be why this one failed: then it is worth running apart.
bool may_blame_neighbours(const Error& error) noexcept {
  return !error.is_final() && error.code() != ErrorCode::kUnavailable &&
         error.code() != ErrorCode::kOverloaded && error.code() != ErrorCode::kCancelled &&
         error.code() != ErrorCode::kDeadlineExceeded;
}

// Batches that succeed pay for this many rows that are run again later.
constexpr std::int64_t kSavedBatches = 4;

}  // namespace

Batcher::Batcher(std::shared_ptr<Model> model, BatchOptions options, Host host)
    : model_(std::move(model)),
      options_((check_options(options), std::move(options))),
      host_(std::move(host)),
      padding_(model_->signature(), options_),
      key_(model_->signature(), padding_),
      assembler_(model_->signature(), padding_),
      admission_({model_->signature(), options_, padding_, host_.bytes}),
      fixed_cost_(model_->signature().has_fixed_inputs()),
      queue_(key_, options_),
      split_(kSavedBatches * options_.max_batch_size),
      service_(options_.executors) {
  for (const auto* specs : {&model_->signature().inputs, &model_->signature().outputs}) {
    for (const TensorSpec& spec : *specs) {
      (void)model_->signature().wire_shape(spec);  // throws here rather than at each request
    }
  }
  if (options_.max_batch_size > 1 && !model_->signature().batch_dim) {
    throw Error(ErrorCode::kInvalidArgument,
                "max_batch_size must be 1 for a model without a batch dimension");
  }
}

// Coming in

Status Batcher::submit(const std::shared_ptr<Job>& job) {
  Status status = admission_.prepare(*job, host_.clock->now());
  if (status) {
    status = enqueue(job);
  }
  if (!status) {
    host_.bytes.give_back(std::exchange(job->place.bytes, 0));
    stats_.count_refusal(status.error().code());
  }
  return status;
}

Status Batcher::enqueue(const std::shared_ptr<Job>& job) {
  Jobs parts = parts_of(job);
  const std::size_t places = std::max<std::size_t>(parts.size(), 1);
  if (places > options_.max_queue_size) {
    return Error(ErrorCode::kInvalidArgument,
                 "the request has " + std::to_string(job->request.rows) +
                     " rows, more than the queue could ever hold (max_queue_size batches of " +
                     std::to_string(admission_.most_rows(*job)) + "); send fewer at once");
  }
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (Status admitted = check_open(places); !admitted) {
      return admitted;
    }
    if (Status in_time = admission_.check_deadline(load(), *job, job->place.submitted); !in_time) {
      return in_time;
    }
    job->place.parts = static_cast<int>(parts.size());
    stats_.in_flight.add(1);
    stats_.queued.add(static_cast<std::int64_t>(places));
    bool hastens = options_.policy == BatchPolicy::kEager;
    if (parts.empty()) {
      hastens = queue_.push(job) || hastens;
    }
    for (auto& part : parts) {
      hastens = queue_.push(std::move(part)) || hastens;
    }
    // An executor that is busy with this model looks again when it is done.
    wake = hastens && running_ < options_.executors;
  }
  if (wake) {
    WakeScope::request(host_.pool, work_source());
  }
  return ok_status();
}

// None for a job that fits into one batch.
Jobs Batcher::parts_of(const std::shared_ptr<Job>& job) {
  const std::int64_t most = admission_.most_rows(*job);
  if (job->request.rows <= most || !model_->signature().batch_dim) {
    return {};
  }
  return divide(job, model_->signature(), most, [this](Job& whole, Result<Reply> reply) {
    answer(whole, std::move(reply), host_.clock->now());
  });
}

Status Batcher::admits() {
  const std::lock_guard lock(mutex_);
  Status open = check_open(1);
  if (!open) {
    stats_.count_refusal(open.error().code());
  }
  return open;
}

Status Batcher::check_open(std::size_t places) const {
  if (closed_) {
    return Error(ErrorCode::kUnavailable, "the model is being unloaded; try again");
  }
  return admission_.check_room(load(), places);
}

Admission::Load Batcher::load() const noexcept {
  return {queue_, service_, running_};
}

// Going away

bool Batcher::cancel(Job& job, const Error& why) noexcept {
  job.cancel();
  Jobs waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = remove(job);
    stats_.queued.add(-static_cast<std::int64_t>(waiting.size()));
    answering_ += waiting.size();
  }
  const TimePoint now = host_.clock->now();
  for (const auto& one : waiting) {
    answer(*one, why, now);
  }
  if (!waiting.empty()) {
    answered(waiting.size());
  }
  return !waiting.empty();
}

Jobs Batcher::remove(Job& job) {
  if (job.place.parts > 0) {
    return queue_.take_parts(job);
  }
  Jobs waiting;
  if (auto found = queue_.remove(job)) {
    waiting.push_back(std::move(found));
  }
  return waiting;
}

void Batcher::refuse() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  host_.pool.wake(work_source());
}

bool Batcher::close(Deadline deadline) {
  refuse();
  Jobs left;
  bool in_time = false;
  {
    std::unique_lock lock(mutex_);
    while (!(in_time = is_idle()) && !deadline.expired(host_.clock->now())) {
      host_.clock->wait_until(lock, idle_, deadline.at());
    }
    left = queue_.take_all();
    stats_.queued.add(-static_cast<std::int64_t>(left.size()));
    const Jobs again = split_.take_all();
    left.insert(left.end(), again.begin(), again.end());
    answering_ += left.size();
  }
  for (const auto& job : left) {
    answer(*job, Error(ErrorCode::kUnavailable, "the model was unloaded before it could answer"),
           host_.clock->now());
  }
  if (!left.empty()) {
    answered(left.size());
  }
  return in_time;
}

bool Batcher::is_idle() const noexcept {
  return queue_.empty() && !split_.has_group() && running_ == 0 && answering_ == 0;
}

WorkSource::Step Batcher::run_one(const ExecutorContext& context, Ask ask) noexcept {
  const WakeScope wakes;  // the answers of one batch cost each I/O thread one wake-up
  const TimePoint now = host_.clock->now();
  Taken taken = take(now, ask);
  if (!taken.verdicts.empty()) {
    answered(answer_all(taken.verdicts, now));
  }
  if (taken.step.ran) {
    const BatchRun::Means means{*this, *model_, assembler_, *host_.clock, stats_.inference};
    std::make_shared<BatchRun>(means, std::move(taken.group))->start(context);
    if (ask == Ask::kHere) {
      const TimePoint ended = host_.clock->now();
      const std::lock_guard lock(mutex_);
      brief_.ran_here(ended, ended - now);
    }
  }
  return taken.step;
}

Batcher::Taken Batcher::take(TimePoint now, Ask ask) {
  Taken taken;
  const std::lock_guard lock(mutex_);
  if (running_ >= options_.executors || (ask == Ask::kHere && !is_brief(now))) {
    return taken;
  }
  for (auto& job : queue_.take_gone(now)) {
    stats_.queued.add(-1);
    taken.drop(std::move(job));
  }
  do {
    taken.group = next_group(now, ask, taken.step);
    taken.step.ran = !taken.group.jobs.empty();
    drop_gone(taken, now);
  } while (taken.step.ran && taken.group.jobs.empty());
  answering_ += taken.dropped;
  if (taken.step.ran) {
    service_.begin(now, running_++ == 0);
    if ((!queue_.empty() || split_.has_group()) && running_ < options_.executors) {
      host_.pool.wake(work_source());  // another executor can begin while this one computes
    }
  }
  return taken;
}

void Batcher::Taken::drop(std::shared_ptr<Job> job) {
  const Error why = why_gone(*job);
  verdicts.push_back({{std::move(job)}, why});
  ++dropped;
}

// Whether all that waits is one row, and soon done.
bool Batcher::is_brief(TimePoint now) const {
  return fixed_cost_ && running_ == 0 && !split_.has_group() && queue_.size() == 1 &&
         queue_.work_before(TimePoint::max()).units <= 1 && brief_.is_brief(now);
}

// The next batch that should start now; if one is held open, `step` says until when.
ErrorSplit::Group Batcher::next_group(TimePoint now, Ask ask, Step& step) {
  if (split_.has_group()) {
    return split_.take_group();
  }
  const bool eager = options_.policy == BatchPolicy::kEager;
  const WaitQueue::Choice choice = queue_.choose(now, closed_ || (eager && ask == Ask::kIdle));
  step.next = choice.next;
  step.held = choice.held && eager;
  if (!choice.due) {
    return {};
  }
  Jobs jobs = queue_.take_batch(choice, service_.costs());
  stats_.queued.add(-static_cast<std::int64_t>(jobs.size()));
  return {std::move(jobs), nullptr};
}

// Whoever left since, or has to be told that the deadline passed, is not run.
void Batcher::drop_gone(Taken& taken, TimePoint now) {
  Jobs& jobs = taken.group.jobs;
  const auto stays = [&](const auto& job) {
    return !job->cancelled() && !job->request.deadline.expired(now);
  };
  const auto gone = std::stable_partition(jobs.begin(), jobs.end(), stays);
  for (auto job = gone; job != jobs.end(); ++job) {
    taken.drop(std::move(*job));
  }
  jobs.erase(gone, jobs.end());
  if (jobs.empty() && taken.group.family != nullptr) {
    for (auto& verdict : split_.succeeded(taken.group.family, 0)) {
      taken.dropped += verdict.jobs.size();
      taken.verdicts.push_back(std::move(verdict));
    }
  }
}

void Batcher::settled(BatchRun& run, const std::optional<Error>& failure) noexcept {
  if (run.group().family != nullptr) {
    stats_.rerun_rows.add(static_cast<std::uint64_t>(run.rows()));
  }
  std::vector<ErrorSplit::Verdict> verdicts;
  {
    const std::lock_guard lock(mutex_);
    verdicts = judge(run, failure);
  }
  answer_all(verdicts, host_.clock->now());
}

void Batcher::ended(BatchRun& run) noexcept {
  run.count_in(stats_);
  const TimePoint now = host_.clock->now();
  const auto size = static_cast<double>(run.length() > 0 ? run.rows() * run.length() : run.rows());
  // All of it under the lock: behind it, close() may let the batcher and its pool be destroyed.
  const std::lock_guard lock(mutex_);
  // What fails at once must not look fast, and how long a stream runs says nothing of its first
  // item. A window holds work back on purpose: that is no lack of executors.
  if (!run.failed() && run.streams() == 0) {
    const bool waiting = !queue_.empty() && options_.policy == BatchPolicy::kEager;
    service_.end(now, size, run.compute(), waiting);
    brief_.observe(run.rows(), run.compute());
  }
  --running_;
  if (!queue_.empty() || split_.has_group()) {
    host_.pool.wake(work_source());
  } else if (is_idle()) {
    idle_.notify_all();
  }
}

// Which jobs are to be answered with an error.
std::vector<ErrorSplit::Verdict> Batcher::judge(BatchRun& run,
                                                const std::optional<Error>& failure) {
  ErrorSplit::Group& group = run.group();
  if (!failure) {
    return split_.succeeded(group.family, run.rows());
  }
  if (options_.on_error == OnBatchError::kFail || !may_blame_neighbours(*failure)) {
    auto verdicts = split_.succeeded(group.family, 0);  // the rest of a rerun's level goes on
    verdicts.push_back({std::move(group.jobs), *failure});
    return verdicts;
  }
  return split_.failed(std::move(group), *failure);
}

std::size_t Batcher::answer_all(const std::vector<ErrorSplit::Verdict>& verdicts,
                                TimePoint now) noexcept {
  std::size_t jobs = 0;
  for (const auto& verdict : verdicts) {
    for (const auto& job : verdict.jobs) {
      answer(*job, verdict.error, now);
      ++jobs;
    }
  }
  return jobs;
}

void Batcher::answer(Job& job, Result<Reply> result, TimePoint now) noexcept {
  if (job.place.is_part) {
    job.complete(std::move(result));  // the last one answers the whole
    return;
  }
  stats_.requests.add();
  if (result && result->stream) {
    stats_.streams.add();  // in flight until its run has ended
  } else {
    stats_.in_flight.add(-1);
  }
  const Duration total = now - job.place.submitted;
  stats_.total_seconds.observe(seconds(total));
  if (result) {
    stats_.queue_seconds.observe(seconds(result->timings.queue));
    stats_.inference.count_success(result->timings, job.request.rows, total);
  } else {
    stats_.count_error(result.error().code());
    stats_.inference.count_failure(total);
  }
  host_.bytes.give_back(std::exchange(job.place.bytes, 0));
  job.complete(std::move(result));
}

// Jobs that left the queue without running have been answered.
void Batcher::answered(std::size_t jobs) noexcept {
  const std::lock_guard lock(mutex_);
  answering_ -= jobs;
  if (is_idle()) {
    idle_.notify_all();
  }
}

}  // namespace maas
