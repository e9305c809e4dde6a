// SPDX-License-Identifier: Apache-2.0
#include "maas/exec/executor_pool.h"

#include <algorithm>
#include <utility>

namespace maas {

ExecutorPool::ExecutorPool(Options options, std::shared_ptr<Clock> clock)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      sources_(std::make_shared<const Sources>()) {
  grow_to(std::max(options_.threads, 1));
}

ExecutorPool::~ExecutorPool() {
  std::vector<Thread> threads;
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
    auto next = std::make_shared<Sources>(*sources_);
    next->push_back(std::move(source));
    sources_ = std::move(next);
  }
  wake();
}

void ExecutorPool::remove(const WorkSource* source) {
  std::shared_ptr<const Sources> old;  // the source may die with it, outside the lock
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<Sources>(*sources_);
  std::erase_if(*next, [&](const auto& other) { return other.get() == source; });
  old = std::exchange(sources_, std::move(next));
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
    std::shared_ptr<const Sources> sources = sources_;
    lock.unlock();
    const WorkSource::Step step = serve_once(*sources, context);
    sources.reset();
    lock.lock();
    // A wake-up since the look means that there may be work which the look missed.
    if (!step.ran && epoch_ == seen && !stopping_) {
      ++sleeping_;
      clock_->wait_until(lock, condition_, step.next);
      --sleeping_;
    }
  }
}

WorkSource::Step ExecutorPool::serve_once(const Sources& sources, const ExecutorContext& context) {
  WorkSource::Step idle;
  const std::size_t first = turn_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t index = (first + i) % sources.size();
    const WorkSource::Step step = sources[index]->run_one(context);
    if (step.ran) {
      turn_.store(index + 1, std::memory_order_relaxed);
      return step;
    }
    idle.next = std::min(idle.next, step.next);
  }
  return idle;
}

}  // namespace maas
