// SPDX-License-Identifier: Apache-2.0
// What the batcher itself costs, without HTTP: CPU time of the whole process per request through a
// model that does nothing, how a model that computes scales over executors, and what stages that do
// nothing add to a lone request.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "maas/batching/batcher.h"
#include "maas/batching/call.h"
#include "maas/batching/engine.h"
#include "maas/batching/pipeline.h"

namespace {

using namespace maas;

Signature eight_floats() {
  return {.inputs = {{"x", DType::kFloat32, Shape{8}}},
          .outputs = {{"y", DType::kFloat32, Shape{8}}}};
}

// Answers with its input, after computing for a while.
class EchoModel final : public Model {
 public:
  explicit EchoModel(std::chrono::microseconds work) : work_(work) {}
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "echo"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    const auto until = std::chrono::steady_clock::now() + work_;
    while (work_.count() > 0 && std::chrono::steady_clock::now() < until) {
    }
    BatchResult result;
    result.outputs = std::move(batch.inputs);
    done(std::move(result));
  }

 private:
  const Signature signature_ = eight_floats();
  const std::chrono::microseconds work_;
};

// Counts the answers that are missing, and lets one thread wait until there are none.
class Countdown {
 public:
  void expect(std::int64_t answers) { missing_ = answers; }
  void count() {
    if (missing_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      const std::lock_guard lock(mutex_);
      done_.notify_one();
    }
  }
  void wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return missing_.load(std::memory_order_acquire) == 0; });
  }

 private:
  std::atomic<std::int64_t> missing_{0};
  std::mutex mutex_;
  std::condition_variable done_;
};

class CountedJob final : public Job {
 public:
  explicit CountedJob(Countdown& countdown) : countdown_(countdown) {}
  void complete(Result<Reply> /*result*/) noexcept override { countdown_.count(); }

 private:
  Countdown& countdown_;
};

bool submit_all(Batcher& batcher,
                const std::vector<std::shared_ptr<CountedJob>>& jobs,
                const Tensor& row) {
  for (const auto& job : jobs) {
    job->request.id = RequestId::next();
    job->request.inputs.assign(1, row);
    job->renew();
    if (!batcher.submit(job)) {
      return false;
    }
  }
  return true;
}

// Submits `requests` one-row requests, as one I/O thread does with those that arrive together, and
// waits for their answers; again and again.
void run(benchmark::State& state, int executors, std::chrono::microseconds work) {
  constexpr int kRequests = 1024;
  const auto clock = std::make_shared<SystemClock>();
  ByteBudget bytes;
  ExecutorPool pool({.name = "bench", .threads = executors}, clock);
  const BatchOptions options{
      .max_batch_size = 32, .max_queue_size = kRequests, .executors = executors};
  const auto batcher = std::make_shared<Batcher>(std::make_shared<EchoModel>(work), options,
                                                 Batcher::Host{clock, pool, bytes});
  pool.add(batcher);
  Countdown countdown;
  const Tensor row = Tensor::zeros(DType::kFloat32, {1, 8});
  std::vector<std::shared_ptr<CountedJob>> jobs;
  jobs.reserve(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    jobs.push_back(std::make_shared<CountedJob>(countdown));
  }
  for ([[maybe_unused]] const auto _ : state) {
    countdown.expect(kRequests);
    WakeScope together;
    if (!submit_all(*batcher, jobs, row)) {
      state.SkipWithError("a request was refused");
      return;
    }
    together.flush();  // now the executors start
    countdown.wait();
  }
  state.SetItemsProcessed(state.iterations() * kRequests);
  batcher->close(Deadline::never());
  pool.remove(batcher.get());
}

std::shared_ptr<ServedModel> serve_echo(Engine& engine, const std::string& name) {
  return engine.serve({name, 1}, std::make_shared<EchoModel>(std::chrono::microseconds(0)), {});
}

// A lone request after another: what a chain of that many models takes; 0 is one model alone.
void chain(benchmark::State& state) {
  const auto clock = std::make_shared<SystemClock>();
  Engine engine(CoreBudget{.cores = 2, .executors = 1}, clock, nullptr);
  Pipeline::Wiring wiring{{"0"}, {std::to_string(state.range(0))}, {}};
  for (int i = 0; i < state.range(0); ++i) {
    wiring.stages.push_back(
        {serve_echo(engine, "stage"), {std::to_string(i)}, {std::to_string(i + 1)}});
  }
  const auto served =
      state.range(0) == 0
          ? serve_echo(engine, "alone")
          : engine.serve_composed({"chain", 1}, std::make_shared<Pipeline>(wiring), {});
  const Tensor row = Tensor::zeros(DType::kFloat32, {1, 8});
  for ([[maybe_unused]] const auto _ : state) {
    benchmark::DoNotOptimize(call(served->batcher(), {row}, *clock, Caller{}));
  }
}

void no_op(benchmark::State& state) {
  run(state, 1, std::chrono::microseconds(0));
}
void computing(benchmark::State& state) {
  run(state, static_cast<int>(state.range(0)), std::chrono::microseconds(500));
}

BENCHMARK(no_op)->MeasureProcessCPUTime()->UseRealTime()->Name("batcher/no_op/batch_32");
BENCHMARK(chain)->Arg(0)->Arg(3)->UseRealTime()->Name("pipeline/empty_stages");
BENCHMARK(computing)->Arg(1)->Arg(2)->UseRealTime()->Name("batcher/500_us_batches/executors");

}  // namespace

BENCHMARK_MAIN();
