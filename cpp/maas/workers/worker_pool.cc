// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/worker_pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace maas {
namespace {

std::string seconds(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  const std::string whole = std::to_string(tenths / 10);
  return tenths % 10 == 0 ? whole + " s" : whole + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

WorkerPool::WorkerPool(Options options)
    : options_(std::move(options)), back_offs_(static_cast<std::size_t>(options_.workers)) {
  Worker::Owner& owner = *this;  // which only we may know
  for (int i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, options_.worker, owner));
  }
  for (const auto& worker : workers_) {
    starting_.insert(worker.get());
  }
  try {
    for (const auto& worker : workers_) {
      worker->start();
    }
    wait_for_start();
  } catch (...) {
    stop();
    throw;
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

void WorkerPool::wait_for_start() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return starting_.empty() || start_failure_; });
  if (start_failure_) {
    throw *start_failure_;
  }
  started_ = true;
}

void WorkerPool::stop() noexcept {
  const std::lock_guard once(stopped_once_);
  std::deque<TaskPtr> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(pending_);
    changed_.notify_all();
  }
  for (const TaskPtr& task : left) {
    task->answer(stopped());
  }
  for (const auto& worker : workers_) {
    worker->stop();
  }
}

std::vector<pid_t> WorkerPool::pids() const {
  std::vector<pid_t> all;
  for (const auto& worker : workers_) {
    if (const pid_t pid = worker->pid(); pid != 0) {
      all.push_back(pid);
    }
  }
  return all;
}

Error WorkerPool::stopped() const {
  return {ErrorCode::kUnavailable, options_.name + " was stopped"};
}

std::optional<Error> WorkerPool::alarm_error(TimePoint now) const {
  if (!watch_.alarm(now)) {
    return std::nullopt;
  }
  return Error(ErrorCode::kUnavailable,
               options_.name + " is unavailable: its worker processes died " +
                   std::to_string(DeathWatch::kMost) + " times within " +
                   seconds(DeathWatch::kWithin) + "; they are started again in " +
                   seconds(watch_.alarm_until() - now))
      .with_retry_after(watch_.alarm_until() - now);
}

std::optional<Error> WorkerPool::unavailable() const {
  const std::lock_guard lock(mutex_);
  return alarm_error(options_.worker.clock->now());
}

// Batches on their way

void WorkerPool::submit(const TaskPtr& task) {
  std::optional<Error> refused = screening_.refusal(*task, options_.worker.clock->now());
  if (!refused) {
    const std::lock_guard lock(mutex_);
    refused = alarm_error(options_.worker.clock->now());
    if (stopping_) {
      refused = stopped();
    }
    if (!refused) {
      pending_.push_back(task);
    }
  }
  if (refused) {
    task->answer(*std::move(refused));
    return;
  }
  place();
}

// Gives what waits to workers, in its order, as far as they can take it.
void WorkerPool::place() {
  Answers gone;
  std::vector<Worker::Place> places;
  {
    const std::lock_guard lock(mutex_);
    drop_expired(options_.worker.clock->now(), gone);
    const auto next = [this] {
      return pending_.empty() ? std::nullopt : place_for(pending_.front());
    };
    while (auto place = next()) {
      places.push_back(*std::move(place));
      pending_.pop_front();
    }
  }
  for (const Worker::Place& place : places) {
    Worker::send(place);
  }
  for (const Answer& answer : gone) {
    answer.task->answer(answer.error);
  }
}

void WorkerPool::drop_expired(TimePoint now, Answers& gone) {
  const auto expired =
      std::stable_partition(pending_.begin(), pending_.end(),
                            [&](const TaskPtr& task) { return !task->is_expired(now); });
  for (auto task = expired; task != pending_.end(); ++task) {
    const bool late = (*task)->deadline().expired(now);
    gone.push_back(
        {std::move(*task), late ? Error(ErrorCode::kDeadlineExceeded,
                                        "no worker process was free before the deadline")
                                : Error(ErrorCode::kCancelled, "nobody waits for the answer")});
  }
  pending_.erase(expired, pending_.end());
}

// At the worker that runs the fewest batches; the first of those.
std::optional<Worker::Place> WorkerPool::place_for(const TaskPtr& task) {
  Worker* least = nullptr;
  std::size_t running = 0;
  for (const auto& worker : workers_) {
    const auto room = worker->room_for(*task);
    if (room && (least == nullptr || *room < running)) {
      least = worker.get();
      running = *room;
    }
  }
  return least == nullptr ? std::nullopt : least->reserve(task);
}

void WorkerPool::ready(Worker& worker) noexcept {
  stats_.live.add(1);
  stats_.starts.add();
  if (options_.worker.log) {
    options_.worker.log(
        {LogLevel::kDebug, options_.name + ": worker " + std::to_string(worker.index()) +
                               " is ready (process " + std::to_string(worker.pid()) + ")"});
  }
  {
    const std::lock_guard lock(mutex_);
    starting_.erase(&worker);
    changed_.notify_all();
  }
  place();
}

void WorkerPool::answered(const TaskPtr& task, Result<BatchResult> result) noexcept {
  {
    const std::lock_guard lock(mutex_);
    watch_.answered();
  }
  screening_.answered(*task);
  place();
  task->answer(std::move(result));
}

// Deaths

bool WorkerPool::ended(Worker& worker, Worker::End end) noexcept {
  if (end.ready) {
    stats_.live.add(-1);
  }
  if (end.told || fail_start(end)) {
    for (const TaskPtr& task : end.tasks) {
      task->answer(stopped());
    }
    return false;
  }
  stats_.deaths.add();
  BackOff& back_off = back_offs_[static_cast<std::size_t>(worker.index())];
  if (end.answered) {
    back_off.reset();
  }
  const Duration wait = back_off.next();
  const TimePoint again = Deadline::after(*options_.worker.clock, wait).at();
  tell(worker, end, wait);
  bury(worker, end);
  place();
  return wait_to_restart(again);
}

// A process that does not come up at the first start stops the pool from being made.
bool WorkerPool::fail_start(const Worker::End& end) {
  const std::lock_guard lock(mutex_);
  if (started_ || end.ready) {
    return false;
  }
  if (!start_failure_) {
    start_failure_ =
        Error(ErrorCode::kInvalidArgument,
              options_.name + " cannot be served: " +
                  (end.failed ? end.how
                              : "a worker process " + end.how +
                                    " before it was ready; see what it wrote to standard error"));
  }
  changed_.notify_all();
  return true;
}

void WorkerPool::tell(const Worker& worker, const Worker::End& end, Duration wait) const {
  if (!options_.worker.log) {
    return;
  }
  std::string ids;
  for (const TaskPtr& task : end.tasks) {
    ids += ids.empty() ? "" : " ";
    ids += task->ids();
  }
  options_.worker.log({LogLevel::kWarning,
                       options_.name + ": worker " + std::to_string(worker.index()) + " (process " +
                           std::to_string(end.pid) + ") " +
                           (end.failed ? "could not start: " : "") + end.how + " while it ran " +
                           std::to_string(end.tasks.size()) +
                           (end.tasks.size() == 1 ? " batch" : " batches") +
                           "; it is started again in " + seconds(wait),
                       ids});
}

// What becomes of the batches of a worker that has died.
void WorkerPool::bury(const Worker& worker, const Worker::End& end) {
  const bool known = !end.hung && screening_.died(end.tasks, options_.worker.clock->now());
  bool raised = false;
  const Answers answers = settle_accounts(end, known, raised);
  if (raised) {
    stats_.alarms.add();
    if (options_.worker.log) {
      options_.worker.log(
          {LogLevel::kError, "ALARM: " + unavailable().value_or(stopped()).message() +
                                 " (the last one, worker " + std::to_string(worker.index()) + ", " +
                                 end.how + ")"});
    }
  }
  for (const Answer& answer : answers) {
    answer.task->answer(answer.error);
  }
}

// `known`: the same requests ended a worker before and were run again, which tells nothing new
// about the endpoint.
WorkerPool::Answers WorkerPool::settle_accounts(const Worker::End& end, bool known, bool& raised) {
  Answers answers;
  std::vector<TaskPtr> again;
  for (const TaskPtr& task : end.tasks) {
    ++task->deaths;
    const bool alone = task->batch.items.size() <= 1;
    if (task->idempotent && alone && !end.hung && task->deaths == 1 &&
        !screening_.is_culprit(*task, options_.worker.clock->now())) {
      task->exclusive = true;  // so that its worker's death would be its own doing
      again.push_back(task);
    } else {
      answers.push_back({task, why_failed(*task, end)});
    }
  }
  const TimePoint now = options_.worker.clock->now();
  const std::lock_guard lock(mutex_);
  raised = !known && !watch_.alarm(now) && watch_.died(now, end.cause);
  stats_.retries.add(again.size());
  pending_.insert(pending_.begin(), again.begin(), again.end());
  if (raised || stopping_) {
    const Error why = raised ? *alarm_error(now) : stopped();
    for (TaskPtr& task : std::exchange(pending_, {})) {
      answers.push_back({std::move(task), why});
    }
  }
  return answers;
}

Error WorkerPool::why_failed(const WorkerTask& task, const Worker::End& end) const {
  if (end.hung) {
    return Error(ErrorCode::kDeadlineExceeded,
                 "the worker process did not answer before the deadline and is replaced");
  }
  const std::string what = "the worker process that ran this request " + end.how;
  if (task.idempotent && task.divides && task.batch.items.size() > 1) {
    // The batcher runs its halves, to which it may do no harm either.
    return Error(ErrorCode::kInternal, what).with_http_status(503).as_shared();
  }
  return Error(ErrorCode::kUnavailable, what + "; try again").as_final();
}

bool WorkerPool::wait_to_restart(TimePoint until) {
  Clock& clock = *options_.worker.clock;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = clock.now();
    TimePoint next = std::max(until, watch_.alarm_until());
    if (now >= next) {
      return true;
    }
    for (const TaskPtr& task : pending_) {
      next = std::min(next, task->deadline().at());
    }
    if (now < next) {
      clock.wait_until(lock, changed_, next);
      continue;
    }
    lock.unlock();
    place();  // answers what nobody waits for any more
    lock.lock();
  }
  return false;
}

}  // namespace maas
