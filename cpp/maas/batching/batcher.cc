// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/batcher.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace maas {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Requests can be stacked when every input has the same dtype and the same shape but for its rows.
bool stackable(const Request& a, const Request& b) {
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
                    [](const Tensor& x, const Tensor& y) {
                      return x.dtype() == y.dtype() &&
                             x.shape().without_leading() == y.shape().without_leading();
                    });
}

Batch assemble(const std::vector<std::shared_ptr<Job>>& jobs) {
  Batch batch;
  batch.rows = 0;
  batch.items.reserve(jobs.size());
  for (const auto& job : jobs) {
    batch.rows += job->request.rows;
    batch.items.push_back(
        {job->request.id, job->request.rows, job->request.deadline, job->cancellation()});
  }
  if (jobs.size() == 1) {
    batch.inputs = jobs.front()->request.inputs;
    return batch;
  }
  const std::size_t inputs = jobs.front()->request.inputs.size();
  std::vector<Tensor> parts(jobs.size());
  for (std::size_t i = 0; i < inputs; ++i) {
    std::transform(jobs.begin(), jobs.end(), parts.begin(),
                   [&](const auto& job) { return job->request.inputs[i]; });
    batch.inputs.push_back(concat_rows(parts));
  }
  return batch;
}

// A model that answers another number of rows, or of outputs, than it was asked would give requests
// each other's rows: the batch fails instead.
void check_outputs(const Signature& signature, const BatchResult& result, std::int64_t rows) {
  if (!result.row_errors.empty() && std::cmp_not_equal(result.row_errors.size(), rows)) {
    throw Error(ErrorCode::kInternal, "the model returned " +
                                          std::to_string(result.row_errors.size()) +
                                          " row errors for " + std::to_string(rows) + " rows");
  }
  if (result.outputs.size() != signature.outputs.size()) {
    throw Error(ErrorCode::kInternal,
                "the model returned " + std::to_string(result.outputs.size()) + " outputs, " +
                    std::to_string(signature.outputs.size()) + " are declared");
  }
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    const Shape& shape = result.outputs[i].shape();
    const TensorSpec& spec = signature.outputs[i];
    if (signature.batch_dim && (shape.rank() == 0 || shape[0] != rows)) {
      throw Error(ErrorCode::kInternal, "output '" + spec.name + "' has shape " +
                                            shape.to_string() +
                                            ", its first dimension must be the " +
                                            std::to_string(rows) + " rows of the batch");
    }
    if (spec.row &&
        (!shape.fits(signature.wire_shape(spec)) || result.outputs[i].dtype() != spec.dtype)) {
      throw Error(ErrorCode::kInternal, "output '" + spec.name + "' is " +
                                            std::string(numpy_name(result.outputs[i].dtype())) +
                                            " " + shape.to_string() + ", declared is " +
                                            std::string(numpy_name(spec.dtype)) + " " +
                                            signature.wire_shape(spec).to_string());
    }
  }
}

// Why a request whose rows begin at `first` has no answer, if so.
std::optional<Error> row_error(const BatchResult& result, std::int64_t first, std::int64_t rows) {
  for (std::int64_t row = first; row < first + rows && !result.row_errors.empty(); ++row) {
    if (const auto& error = result.row_errors[static_cast<std::size_t>(row)]) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace

// A batch on its way through the model.
struct Batcher::Running {
  Running(Batcher& owner, Jobs taken, TimePoint at)
      : batcher(owner), jobs(std::move(taken)), started(at), computing(at) {}
  // A model that lets `done` go without calling it fails its batch; it would else hang for ever.
  ~Running() {
    if (!finished) {
      batcher.finish(*this, Error(ErrorCode::kInternal, "the model gave no answer"));
    }
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Batcher& batcher;  // alive until it is finished
  const Jobs jobs;
  std::size_t answered = 0;  // of them, from the first
  const TimePoint started;
  TimePoint computing;  // when it was assembled
  std::int64_t rows = 0;
  std::atomic<bool> finished{false};
};

Batcher::Batcher(std::shared_ptr<Model> model,
                 BatchOptions options,
                 std::shared_ptr<Clock> clock,
                 ExecutorPool& pool)
    : model_(std::move(model)), options_(options), clock_(std::move(clock)), pool_(pool) {
  check_options(options_);
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

Status Batcher::submit(std::shared_ptr<Job> job) {
  Request& request = job->request;
  const Result<std::int64_t> rows = check_inputs(model_->signature(), request.inputs);
  if (!rows) {
    return rows.error();
  }
  request.rows = *rows;
  if (request.rows > options_.max_batch_size && model_->signature().batch_dim) {
    return Error(ErrorCode::kInvalidArgument, "the request has " + std::to_string(request.rows) +
                                                  " rows, the model takes at most " +
                                                  std::to_string(options_.max_batch_size) +
                                                  " (max_batch_size)");
  }
  job->submitted = clock_->now();
  {
    const std::lock_guard lock(mutex_);
    if (Status open = check_open(); !open) {
      return open;
    }
    queued_rows_ += request.rows;
    queue_.push_back(std::move(job));
    stats_.queued.add(1);
    stats_.in_flight.add(1);
  }
  WakeScope::request(pool_, this);
  return ok_status();
}

Status Batcher::admits() {
  const std::lock_guard lock(mutex_);
  return check_open();
}

Status Batcher::check_open() const {
  if (closed_) {
    return Error(ErrorCode::kUnavailable, "the model is being unloaded; try again");
  }
  if (queue_.size() >= options_.max_queue_size) {
    return Error(ErrorCode::kOverloaded, "the queue of " + std::to_string(options_.max_queue_size) +
                                             " requests is full; try again later");
  }
  return ok_status();
}

bool Batcher::cancel(Job& job, const Error& why) noexcept {
  job.cancel();
  std::shared_ptr<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(queue_.begin(), queue_.end(),
                                    [&](const auto& queued) { return queued.get() == &job; });
    if (found == queue_.end()) {
      return false;
    }
    waiting = std::move(*found);
    queue_.erase(found);
    queued_rows_ -= job.request.rows;
    stats_.queued.add(-1);
    ++answering_;
  }
  answer(*waiting, why, clock_->now());
  answered(1);
  return true;
}

WorkSource::Step Batcher::run_one(const ExecutorContext& context) noexcept {
  const WakeScope wakes;  // the answers of one batch cost each I/O thread one wake-up
  const TimePoint now = clock_->now();
  Taken taken = take(now);
  for (const auto& job : taken.expired) {
    answer(*job,
           job->cancelled()
               ? Error(ErrorCode::kCancelled, "the client left")
               : Error(ErrorCode::kDeadlineExceeded, "the deadline passed in the queue"),
           now);
  }
  if (!taken.expired.empty()) {
    answered(taken.expired.size());
  }
  if (!taken.batch.empty()) {
    execute(std::move(taken.batch), context);
  }
  return taken.step;
}

Batcher::Taken Batcher::take(TimePoint now) {
  Taken taken;
  const std::lock_guard lock(mutex_);
  if (running_ >= options_.executors) {
    return taken;
  }
  take_expired(now, taken.expired);
  answering_ += taken.expired.size();
  if (ready(now, taken.step)) {
    take_batch(taken.batch);
    ++running_;
    taken.step.ran = true;
    if (!queue_.empty() && running_ < options_.executors) {
      pool_.wake();  // another executor can begin while this one computes
    }
  }
  return taken;
}

// Whether a batch should start now; if one is being held open, step.next says until when.
bool Batcher::ready(TimePoint now, Step& step) const {
  if (queue_.empty()) {
    return false;
  }
  if (options_.batch_timeout == Duration::zero() || queued_rows_ >= options_.max_batch_size ||
      closed_) {
    return true;
  }
  const Deadline window = Deadline::from(queue_.front()->submitted, options_.batch_timeout);
  step.next = window.at();
  // To hold a request beyond its deadline would be to refuse it for nothing.
  return window.expired(now) || std::any_of(queue_.begin(), queue_.end(), [&](const auto& job) {
           return job->request.deadline.at() < window.at();
         });
}

void Batcher::take_expired(TimePoint now, Jobs& expired) {
  const auto gone = [&](const std::shared_ptr<Job>& job) {
    return job->cancelled() || job->request.deadline.expired(now);
  };
  for (auto it = std::find_if(queue_.begin(), queue_.end(), gone); it != queue_.end();
       it = std::find_if(it, queue_.end(), gone)) {
    queued_rows_ -= (*it)->request.rows;
    stats_.queued.add(-1);
    expired.push_back(std::move(*it));
    it = queue_.erase(it);
  }
}

// The oldest request, and in order of age those that can be stacked on it.
void Batcher::take_batch(Jobs& batch) {
  std::int64_t room = options_.max_batch_size;
  for (auto it = queue_.begin(); it != queue_.end() && room > 0;) {
    const Request& request = (*it)->request;
    if (!batch.empty() && (request.rows > room || !stackable(batch.front()->request, request))) {
      ++it;
      continue;
    }
    room -= request.rows;
    queued_rows_ -= request.rows;
    stats_.queued.add(-1);
    batch.push_back(std::move(*it));
    it = queue_.erase(it);
  }
}

void Batcher::execute(Jobs batch, const ExecutorContext& context) noexcept {
  const TimePoint started = clock_->now();
  const auto running = std::make_shared<Running>(*this, std::move(batch), started);
  try {
    Batch stacked = assemble(running->jobs);
    running->rows = stacked.rows;
    running->computing = clock_->now();
    model_->run(std::move(stacked), context, [this, running](Result<BatchResult> result) {
      finish(*running, std::move(result));
    });
  } catch (...) {
    finish(*running, current_error());
  }
}

void Batcher::finish(Running& running, Result<BatchResult> result) noexcept {
  if (running.finished.exchange(true)) {
    return;  // the model answered and then threw
  }
  const TimePoint now = clock_->now();
  stats_.batch_rows.observe(static_cast<double>(running.rows));
  stats_.compute_seconds.observe(seconds(now - running.computing));
  try {
    if (!result) {
      throw Error(result.error());
    }
    check_outputs(model_->signature(), *result, running.rows);
    scatter(running, *result, now);
  } catch (...) {
    const Error error = current_error();
    while (running.answered < running.jobs.size()) {
      answer(*running.jobs[running.answered++], error, now);
    }
  }
  const Duration apart = clock_->now() - now;
  stats_.batch_seconds.observe(seconds(running.computing - running.started + apart));
  release_executor();
}

void Batcher::scatter(Running& running, const BatchResult& result, TimePoint now) {
  const bool batch_dim = model_->signature().batch_dim;
  std::int64_t first = 0;
  for (const auto& job : running.jobs) {
    const std::int64_t rows = job->request.rows;
    Reply reply;
    reply.outputs.reserve(result.outputs.size());
    for (const Tensor& output : result.outputs) {
      reply.outputs.push_back(batch_dim ? output.rows(first, rows) : output);
    }
    reply.timings = {running.started - job->submitted, now - running.computing, running.rows};
    stats_.queue_seconds.observe(seconds(reply.timings.queue));
    const auto error = row_error(result, first, rows);
    ++running.answered;
    answer(*job, error ? Result<Reply>(*error) : Result<Reply>(std::move(reply)), now);
    first += rows;
  }
}

void Batcher::answer(Job& job, Result<Reply> result, TimePoint now) noexcept {
  stats_.requests.add();
  stats_.in_flight.add(-1);
  stats_.total_seconds.observe(seconds(now - job.submitted));
  if (!result) {
    stats_.count_error(result.error().code());
  }
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

void Batcher::release_executor() noexcept {
  // All of it under the lock: behind it, close() may let the batcher and its pool be destroyed.
  const std::lock_guard lock(mutex_);
  --running_;
  if (!queue_.empty()) {
    pool_.wake();
  } else if (is_idle()) {
    idle_.notify_all();
  }
}

bool Batcher::is_idle() const noexcept {
  return queue_.empty() && running_ == 0 && answering_ == 0;
}

void Batcher::refuse() noexcept {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  pool_.wake();
}

bool Batcher::close(Deadline deadline) {
  refuse();
  Jobs left;
  bool in_time = false;
  {
    std::unique_lock lock(mutex_);
    while (!(in_time = is_idle()) && !deadline.expired(clock_->now())) {
      clock_->wait_until(lock, idle_, deadline.at());
    }
    left.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.end()));
    stats_.queued.add(-static_cast<std::int64_t>(left.size()));
    queue_.clear();
    queued_rows_ = 0;
    answering_ += left.size();
  }
  for (const auto& job : left) {
    answer(*job, Error(ErrorCode::kUnavailable, "the model was unloaded before it could answer"),
           clock_->now());
  }
  if (!left.empty()) {
    answered(left.size());
  }
  return in_time;
}

}  // namespace maas
