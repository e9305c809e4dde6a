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
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    condition_.notify_all();
  }
}

void ExecutorPool::add(std::shared_ptr<WorkSource> source) {
  {
    const std::lock_guard lock(mutex_);
    sources_.push_back(std::move(source));
  }
  wake();
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
  ++epoch_;  // a thread that counts through the sources may now have passed one over
  ++removing_;
  asked_.wait(lock, [&] { return std::count(asking_.begin(), asking_.end(), source) == 0; });
  --removing_;
}

void ExecutorPool::grow_to(int threads) {
  const std::lock_guard lock(mutex_);
  while (!stopping_ && static_cast<int>(threads_.size()) < threads) {
    threads_.emplace_back(options_.name + "-" + std::to_string(threads_.size()),
                          [this] { serve(); });
  }
}

int ExecutorPool::threads() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(threads_.size());
}

void ExecutorPool::wake() noexcept {
  const std::lock_guard lock(mutex_);
  ++epoch_;
  if (sleeping_ > 0) {
    condition_.notify_one();
  }
}

void ExecutorPool::serve() {
  Arena arena(options_.intra_op_threads);
  const ExecutorContext context{&arena, options_.intra_op_threads};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::uint64_t seen = epoch_;
    const WorkSource::Step step = serve_once(lock, context);
    // A wake-up since the look means that there may be work which the look missed.
    if (!step.ran && epoch_ == seen && !stopping_) {
      ++sleeping_;
      clock_->wait_until(lock, condition_, step.next);
      --sleeping_;
    }
  }
}

WorkSource::Step ExecutorPool::serve_once(std::unique_lock<std::mutex>& lock,
                                          const ExecutorContext& context) {
  WorkSource::Step idle;
  const std::size_t first = turn_;
  for (std::size_t i = 0; i < sources_.size() && !stopping_; ++i) {
    const std::size_t index = (first + i) % sources_.size();
    const WorkSource::Step step = ask(lock, sources_[index], context);
    if (step.ran) {
      turn_ = index + 1;
      return step;
    }
    idle.next = std::min(idle.next, step.next);
  }
  return idle;
}

WorkSource::Step ExecutorPool::ask(std::unique_lock<std::mutex>& lock,
                                   std::shared_ptr<WorkSource> source,
                                   const ExecutorContext& context) {
  const WorkSource* const asked = source.get();
  asking_.push_back(asked);
  lock.unlock();
  const WorkSource::Step step = source->run_one(context);
  source.reset();
  lock.lock();
  asking_.erase(std::find(asking_.begin(), asking_.end(), asked));
  if (removing_ > 0) {
    asked_.notify_all();
  }
  return step;
}

}  // namespace maas
