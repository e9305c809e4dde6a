// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/executor_pool.h"

#include <algorithm>
#include <utility>

namespace maas {

ExecutorPool::ExecutorPool(Options options, std::shared_ptr<Clock> clock)
    : options_(std::move(options)), clock_(std::move(clock)) {
  try {
    grow_to(std::max(options_.threads, 1));
  } catch (...) {
    stop();  // the threads that were made would else be waited for in vain
    throw;
  }
}

ExecutorPool::~ExecutorPool() {
  stop();
}

void ExecutorPool::stop() noexcept {
  std::vector<Thread> threads;  // joined when the lock is let go
  std::vector<Thread> relief;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    relief.swap(relief_);
    for (Sleeper* sleeper : sleepers_) {
      sleeper->woken = true;
      sleeper->condition.notify_one();
    }
  }
}

void ExecutorPool::add(std::shared_ptr<WorkSource> source, double weight) {
  {
    const std::lock_guard lock(mutex_);
    fair_.add(source.get(), weight);
    sources_.push_back(std::move(source));
    if (options_.shared && sources_.size() == 2 && !stopping_) {
      start_relief();
    }
  }
  wake(nullptr);
}

void ExecutorPool::start_relief() {
  if (relief_.empty()) {
    relief_.emplace_back(options_.name + "-relief", [this] { serve(Duty::kRelief); });
  }
}

void ExecutorPool::remove(const WorkSource* source) {
  std::shared_ptr<WorkSource> dies;  // perhaps, and then outside the lock
  std::unique_lock lock(mutex_);
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const auto& other) { return other.get() == source; });
  if (found == sources_.end()) {
    return;
  }
  dies = std::move(*found);
  sources_.erase(found);
  fair_.remove(source);
  ++epoch_;  // a thread that counts through the sources may now have passed one over
  ++removing_;
  asked_.wait(lock, [&] { return std::count(asking_.begin(), asking_.end(), source) == 0; });
  --removing_;
}

void ExecutorPool::grow_to(int threads) {
  const std::lock_guard lock(mutex_);
  while (!stopping_ && static_cast<int>(threads_.size()) < threads) {
    threads_.emplace_back(options_.name + "-" + std::to_string(threads_.size()),
                          [this] { serve(Duty::kAll); });
  }
}

int ExecutorPool::threads() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(threads_.size());
}

void ExecutorPool::wake(const void* reason) noexcept {
  const std::lock_guard lock(mutex_);
  ++epoch_;
  wake_one(is_held_up(reason) ? Duty::kRelief : Duty::kAll);
}

void ExecutorPool::wake_one(Duty duty) noexcept {
  const auto found = std::find_if(
      sleepers_.rbegin(), sleepers_.rend(),
      [&](const Sleeper* sleeper) { return sleeper->duty == duty && !sleeper->woken; });
  if (found != sleepers_.rend()) {
    (*found)->woken = true;
    (*found)->condition.notify_one();
  }
}

bool ExecutorPool::run_here(const void* reason) noexcept {
  thread_local Arena arena(1);
  std::unique_lock lock(mutex_);
  const bool all_sleep = asleep(Duty::kAll) == std::ssize(threads_);
  if (!options_.shared || stopping_ || !(all_sleep || is_held_up(reason))) {
    return false;
  }
  return ask_one(lock, reason, {&arena, 1}, WorkSource::Ask::kHere).ran;
}

bool ExecutorPool::is_held_up(FairShare::Id id) const noexcept {
  return options_.shared && asleep(Duty::kAll) == 0 && fair_.is_held_up(id);
}

std::ptrdiff_t ExecutorPool::asleep(Duty duty) const noexcept {
  return std::count_if(sleepers_.begin(), sleepers_.end(),
                       [&](const Sleeper* sleeper) { return sleeper->duty == duty; });
}

void ExecutorPool::serve(Duty duty) {
  Arena arena(options_.intra_op_threads);
  const ExecutorContext context{&arena, options_.intra_op_threads};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = epoch_;
    const WorkSource::Step step =
        duty == Duty::kAll ? serve_once(lock, context) : relieve(lock, context);
    // A wake-up since the look means that there may be work which the look missed.
    if (!step.ran && epoch_ == seen && !stopping_) {
      sleep(lock, step.next, duty);
    }
  }
}

void ExecutorPool::sleep(std::unique_lock<std::mutex>& lock, TimePoint until, Duty duty) {
  Sleeper here{.until = until, .duty = duty};
  sleepers_.push_back(&here);
  fell_asleep_.notify_all();
  while (!here.woken && clock_->now() < until) {
    clock_->wait_until(lock, here.condition, until);
  }
  sleepers_.erase(std::find(sleepers_.begin(), sleepers_.end(), &here));
}

bool ExecutorPool::is_settled() const {
  const TimePoint now = clock_->now();
  return asking_.empty() && sleepers_.size() == threads_.size() + relief_.size() &&
         std::all_of(sleepers_.begin(), sleepers_.end(), [&](const Sleeper* sleeper) {
           return !sleeper->woken && sleeper->until > now;
         });
}

bool ExecutorPool::settle(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return fell_asleep_.wait_for(lock, patience, [this] { return is_settled(); });
}

WorkSource::Step ExecutorPool::serve_once(std::unique_lock<std::mutex>& lock,
                                          const ExecutorContext& context) {
  const WorkSource::Step due = ask_all(lock, context, WorkSource::Ask::kDue);
  return due.ran || !due.held ? due : ask_all(lock, context, WorkSource::Ask::kIdle);
}

WorkSource::Step ExecutorPool::relieve(std::unique_lock<std::mutex>& lock,
                                       const ExecutorContext& context) {
  thread_local std::vector<FairShare::Id> ids;
  fair_.order(ids);
  WorkSource::Step idle;
  for (std::size_t i = 0; i < ids.size() && !stopping_; ++i) {
    if (!is_held_up(ids[i])) {
      continue;
    }
    const WorkSource::Step step = ask_one(lock, ids[i], context, WorkSource::Ask::kDue);
    if (step.ran) {
      return step;
    }
    idle.next = std::min(idle.next, step.next);
  }
  return idle;
}

WorkSource::Step ExecutorPool::ask_all(std::unique_lock<std::mutex>& lock,
                                       const ExecutorContext& context,
                                       WorkSource::Ask ask) {
  thread_local std::vector<FairShare::Id> ids;
  fair_.order(ids);
  WorkSource::Step idle;
  for (std::size_t i = 0; i < ids.size() && !stopping_; ++i) {
    const WorkSource::Step step = ask_one(lock, ids[i], context, ask);
    if (step.ran) {
      return step;
    }
    idle.next = std::min(idle.next, step.next);
    idle.held = idle.held || step.held;
  }
  return idle;
}

WorkSource::Step ExecutorPool::ask_one(std::unique_lock<std::mutex>& lock,
                                       FairShare::Id id,
                                       const ExecutorContext& context,
                                       WorkSource::Ask ask) {
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [&](const auto& source) { return source.get() == id; });
  if (found == sources_.end()) {
    return {};  // it went away meanwhile
  }
  std::shared_ptr<WorkSource> source = *found;
  const FairShare::Turn turn = fair_.begin(id);
  asking_.push_back(source.get());
  lock.unlock();
  const TimePoint start = clock_->now();
  const WorkSource::Step step = source->run_one(context, ask);
  const Duration cost = step.ran ? clock_->now() - start : Duration::zero();
  source.reset();
  lock.lock();
  asking_.erase(std::find(asking_.begin(), asking_.end(), id));
  if (step.ran) {
    fair_.end(turn, cost);
  } else {
    fair_.cancel(turn);
  }
  if (removing_ > 0) {
    asked_.notify_all();
  }
  if (asking_.empty()) {
    fell_asleep_.notify_all();  // the others may have been asleep for long
  }
  return step;
}

}  // namespace maas
