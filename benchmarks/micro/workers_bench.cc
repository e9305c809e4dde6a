// SPDX-License-Identifier: Apache-2.0
// What it costs to have a batch run in another process: a float32 tensor there and back. The
// program starts itself as the worker, which echoes.
#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "maas/workers/remote_model.h"
#include "maas/workers/worker_session.h"

namespace {

using namespace maas;

constexpr std::string_view kWorker = "--worker";

Signature floats() {
  return {.inputs = {{"x", DType::kFloat32, {}}}, .outputs = {{"y", DType::kFloat32, {}}}};
}

class Echo final : public Model {
 public:
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "echo"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    BatchResult result;
    result.outputs = std::move(batch.inputs);
    done(std::move(result));
  }

 private:
  const Signature signature_ = floats();
};

Result<BatchResult> ask(Model& model, const Tensor& x, const ExecutorContext& context) {
  Batch batch;
  batch.inputs.push_back(x);
  batch.items.push_back({RequestId::next(), 1, Deadline(), std::make_shared<Cancellation>()});
  std::promise<Result<BatchResult>> promise;
  auto future = promise.get_future();
  model.run(std::move(batch), context,
            [&promise](Result<BatchResult> result) { promise.set_value(std::move(result)); });
  return future.get();
}

void round_trip(benchmark::State& state) {
  WorkerPool::Options options;
  options.name = "bench";
  options.worker.command.arguments = {"/proc/self/exe", std::string(kWorker)};
  options.worker.clock = std::make_shared<SystemClock>();
  RemoteModel::Options about;
  about.signature = floats();
  RemoteModel model(std::make_shared<WorkerPool>(std::move(options)), std::move(about));
  const Tensor x = Tensor::zeros(DType::kFloat32, {1, state.range(0) / 4});
  Arena arena(1);
  const ExecutorContext context{&arena, 1};
  std::vector<double> us;
  for ([[maybe_unused]] const auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    auto result = ask(model, x, context);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    us.push_back(took.count());
    if (!result || result->outputs[0].byte_size() != x.byte_size()) {
      state.SkipWithError("no answer");
      return;
    }
  }
  std::nth_element(us.begin(), us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2), us.end());
  state.counters["median_us"] = us[us.size() / 2];
  state.SetBytesProcessed(state.iterations() * 2 * state.range(0));
}

BENCHMARK(round_trip)
    ->Arg(64)
    ->Arg(600'000)
    ->Arg(6'000'000)
    ->UseRealTime()
    ->Name("workers/round_trip/bytes");

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == kWorker) {
    WorkerSession session{FileDescriptor(ChildProcess::kDescriptor)};
    return session.serve({{std::make_shared<Echo>()}}) ? 0 : 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
