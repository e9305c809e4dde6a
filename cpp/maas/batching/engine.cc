// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/engine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace maas {
namespace {

void warm_up(Model& model, std::int64_t max_batch_size, int threads) {
  Arena arena(threads);
  const ExecutorContext context{&arena, threads};
  model.warm_up(1, context);
  if (max_batch_size > 1) {
    model.warm_up(max_batch_size, context);
  }
}

}  // namespace

// How many models have not been handed to the reaper yet.
struct Engine::Live {
  std::mutex mutex;
  std::condition_variable none;
  int models = 0;  // guarded by mutex
};

Engine::Engine(const CoreBudget& budget,
               std::shared_ptr<Clock> clock,
               LogSink log,
               std::size_t max_held_bytes)
    : budget_(budget),
      clock_(std::move(clock)),
      log_(std::move(log)),
      bytes_(max_held_bytes),
      live_(std::make_shared<Live>()),
      executors_({.name = "maas-exec",
                  .threads = budget.executors,
                  .intra_op_threads = budget.intra_op_threads,
                  .shared = true},
                 clock_) {}

Engine::~Engine() {
  constexpr auto kPatience = std::chrono::seconds(5);  // of real time: nothing else moves any more
  std::unique_lock lock(live_->mutex);
  live_->none.wait_for(lock, kPatience, [this] { return live_->models == 0; });
}

std::shared_ptr<ServedModel> Engine::serve(ServedModel::Name name,
                                           std::shared_ptr<Model> model,
                                           BatchOptions options) {
  auto batcher =
      std::make_shared<Batcher>(model, options, Batcher::Host{clock_, executors_, bytes_});
  // On a thread of its own, which lends what an executor lends: back-ends keep state per thread.
  std::exception_ptr failure;
  Thread("maas-warm-up", [&] {
    try {
      warm_up(*model, options.max_batch_size, budget_.intra_op_threads);
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) {
    std::rethrow_exception(failure);
  }
  executors_.grow_to(options.executors);
  return share(std::make_unique<ServedModel>(std::move(name), std::move(model), std::move(batcher),
                                             executors_, nullptr));
}

std::shared_ptr<ServedModel> Engine::serve_apart(ServedModel::Name name,
                                                 std::shared_ptr<Model> model,
                                                 BatchOptions options,
                                                 int threads) {
  auto pool = std::make_unique<ExecutorPool>(
      ExecutorPool::Options{.name = "maas-py", .threads = threads, .intra_op_threads = 1}, clock_);
  auto batcher =
      std::make_shared<Batcher>(model, std::move(options), Batcher::Host{clock_, *pool, bytes_});
  ExecutorPool& own = *pool;
  return share(std::make_unique<ServedModel>(std::move(name), std::move(model), std::move(batcher),
                                             own, std::move(pool)));
}

std::shared_ptr<ServedModel> Engine::serve_composed(ServedModel::Name name,
                                                    std::shared_ptr<Model> model,
                                                    BatchOptions options) {
  options.whole_requests = true;
  auto batcher = std::make_shared<Batcher>(model, std::move(options),
                                           Batcher::Host{clock_, executors_, bytes_});
  return share(std::make_unique<ServedModel>(std::move(name), std::move(model), std::move(batcher),
                                             executors_, nullptr));
}

std::shared_ptr<ServedModel> Engine::share(std::unique_ptr<ServedModel> served) {
  {
    const std::lock_guard lock(live_->mutex);
    ++live_->models;
  }
  const auto reap = [this, live = live_](ServedModel* last) {
    reaper_.post([dies = std::unique_ptr<ServedModel>(last)] {});
    const std::lock_guard lock(live->mutex);
    if (--live->models == 0) {
      live->none.notify_all();
    }
  };
  const std::shared_ptr<ServedModel> shared(served.release(), reap);
  served_.with([&](auto& all) {
    std::erase_if(all, [](const auto& weak) { return weak.expired(); });
    all.push_back(shared);
  });
  return shared;
}

std::vector<std::shared_ptr<ServedModel>> Engine::alive() const {
  std::vector<std::shared_ptr<ServedModel>> all;
  served_.with([&](const auto& weak) {
    std::transform(weak.begin(), weak.end(), std::back_inserter(all),
                   [](const auto& one) { return one.lock(); });
  });
  std::erase(all, nullptr);
  return all;
}

bool Engine::settle(std::chrono::milliseconds patience) {
  const auto limit = std::chrono::steady_clock::now() + patience;
  const auto all = alive();
  const auto settled = [&](std::chrono::milliseconds wait) {
    return executors_.settle(wait) && std::all_of(all.begin(), all.end(), [&](const auto& served) {
             return served->pool().settle(wait);
           });
  };
  // One pool may give another work; when none has moved while all were looked at, all are still.
  while (!(settled(patience) && settled(std::chrono::milliseconds(0)))) {
    if (std::chrono::steady_clock::now() > limit) {
      return false;
    }
  }
  return true;
}

bool Engine::close(Deadline deadline) {
  std::vector<std::shared_ptr<ServedModel>> all = alive();
  for (const auto& served : all) {
    served->batcher().refuse();  // all of them, before the first one is waited for
  }
  bool in_time = true;
  for (const auto& served : all) {
    in_time = served->close(deadline) && in_time;
  }
  all.clear();
  // Models that nobody holds any more are gone when this returns, with what they keep of Python.
  return in_time && reaper_.flush(std::chrono::seconds(5));
}

}  // namespace maas
