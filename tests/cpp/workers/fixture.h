// SPDX-License-Identifier: Apache-2.0
// Pools of real worker processes, and batches for them.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "maas/base/clock.h"
#include "maas/workers/remote_model.h"
#include "maas/workers/worker_pool.h"

namespace maas::testing {

// The models of the child (child.cc), in its order.
enum ChildModel : std::uint32_t { kEcho, kObedient, kLate, kKeeper };

// What was logged; any thread adds to it.
class Log {
 public:
  LogSink sink() {
    return [this](const LogRecord& record) {
      const std::lock_guard lock(mutex_);
      records_.push_back(record);
    };
  }
  [[nodiscard]] std::vector<LogRecord> records() const {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  [[nodiscard]] bool has(const std::string& text) const {
    const std::lock_guard lock(mutex_);
    for (const LogRecord& record : records_) {
      if (record.message.find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<LogRecord> records_;
};

class WorkersTest : public ::testing::Test {
 protected:
  static constexpr auto kPatience = std::chrono::seconds(60);

  std::shared_ptr<WorkerPool> make_pool(int workers = 1, std::string setup = {}) {
    WorkerPool::Options options;
    options.name = "endpoint /test";
    options.workers = workers;
    options.worker.command.arguments = {MAAS_WORKERS_CHILD};
    options.worker.setup = std::move(setup);
    options.worker.most_in_flight = most_in_flight_;
    options.worker.clock = clock_;
    options.worker.log = log_.sink();
    return std::make_shared<WorkerPool>(std::move(options));
  }

  static std::shared_ptr<RemoteModel> make_model(std::shared_ptr<WorkerPool> pool,
                                                 std::uint32_t index,
                                                 bool idempotent = false) {
    RemoteModel::Options options;
    options.index = index;
    options.signature = {.inputs = {{"x", DType::kFloat32, {}}},
                         .outputs = {{"y", DType::kFloat32, {}}}};
    options.exclusive = index != kLate;
    options.idempotent = idempotent;
    return std::make_shared<RemoteModel>(std::move(pool), std::move(options));
  }

  static std::future<Result<BatchResult>> run(Model& model, Batch batch) {
    const auto answered = std::make_shared<std::promise<Result<BatchResult>>>();
    auto future = answered->get_future();
    Arena arena(1);
    model.run(std::move(batch), {&arena, 1},
              [answered](Result<BatchResult> result) { answered->set_value(std::move(result)); });
    return future;
  }

  // One item for each order.
  static Batch orders(const std::vector<std::string>& texts, Deadline deadline = {}) {
    Batch batch;
    batch.rows = static_cast<std::int64_t>(texts.size());
    batch.inputs.push_back(Tensor::from_strings(texts, {batch.rows}));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      batch.items.push_back({RequestId::next(), 1, deadline, std::make_shared<Cancellation>()});
    }
    return batch;
  }

  static Batch numbers(std::int64_t rows, std::int64_t columns, float first = 0) {
    Batch batch;
    batch.rows = rows;
    Tensor x = Tensor::allocate(DType::kFloat32, {rows, columns});
    float value = first;
    for (float& one : x.mutable_values<float>()) {
      one = value++;
    }
    batch.inputs.push_back(std::move(x));
    batch.items.push_back({RequestId::next(), rows, {}, std::make_shared<Cancellation>()});
    return batch;
  }

  // The answer to one order: its text, or the error's message.
  std::string ask(Model& model, const std::string& order, Deadline deadline = {}) {
    return text_of(run(model, orders({order}, deadline)));
  }
  static std::string text_of(std::future<Result<BatchResult>> future) {
    if (future.wait_for(kPatience) != std::future_status::ready) {
      return "nothing";
    }
    const Result<BatchResult> result = future.get();
    return result ? result->outputs[0].strings()[0]
                  : std::string(error_code_name(result.error().code())) + ": " +
                        result.error().message();
  }

  std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
  std::size_t most_in_flight_ = 1;
  Log log_;
};

// Tries again until it is true, or for a minute.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace maas::testing
