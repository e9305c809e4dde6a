// SPDX-License-Identifier: Apache-2.0
// Models and jobs for the tests of batching: real implementations of the real interfaces.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maas/batching/job.h"
#include "maas/runtime/model.h"

namespace maas::testing {

// Counts up; a test waits until it has come so far.
class Progress {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }
  [[nodiscard]] int count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// Lets nobody pass until it is opened; open from the start.
class Gate {
 public:
  void close() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

inline Signature any_floats() {
  return {.inputs = {{"x", DType::kFloat32, {}}}, .outputs = {{"y", DType::kFloat32, {}}}};
}

// y = 2x, on shapes of any kind. Waits at a gate, keeps what it saw, and answers in another way
// when told so.
class FakeModel final : public Model {
 public:
  struct Seen {
    std::int64_t rows;
    std::size_t requests;
    Shape shape;
  };
  using Behaviour = std::function<void(Batch, BatchDone)>;

  explicit FakeModel(Signature signature = any_floats()) : signature_(std::move(signature)) {}

  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "fake"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({batch.rows, batch.items.size(), batch.inputs.at(0).shape()});
    }
    const int now = ++running_;
    int most = most_running_;
    while (most < now && !most_running_.compare_exchange_weak(most, now)) {
    }
    started.add();
    gate.pass();
    --running_;
    if (behaviour) {
      behaviour(std::move(batch), std::move(done));
    } else {
      done(twice(batch));
    }
  }

  static BatchResult twice(const Batch& batch) {
    BatchResult result;
    for (const Tensor& input : batch.inputs) {
      Tensor output = Tensor::allocate(DType::kFloat32, input.shape());
      std::transform(input.values<float>().begin(), input.values<float>().end(),
                     output.mutable_values<float>().begin(), [](float x) { return 2 * x; });
      result.outputs.push_back(std::move(output));
    }
    return result;
  }

  [[nodiscard]] std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  [[nodiscard]] std::vector<std::int64_t> batch_sizes() const {
    std::vector<std::int64_t> sizes;
    for (const Seen& batch : seen()) {
      sizes.push_back(batch.rows);
    }
    return sizes;
  }
  [[nodiscard]] int most_running() const { return most_running_; }

  Gate gate;
  Progress started;
  Behaviour behaviour;  // set before the first job

 private:
  const Signature signature_;
  mutable std::mutex mutex_;
  std::vector<Seen> seen_;  // guarded by mutex_
  std::atomic<int> running_{0};
  std::atomic<int> most_running_{0};
};

// A job whose answer can be waited for; counts how often it was completed.
class FakeJob final : public Job {
 public:
  explicit FakeJob(Tensor x, Deadline deadline = Deadline::never()) {
    request.id = RequestId::next();
    request.deadline = deadline;
    request.inputs.push_back(std::move(x));
  }

  void complete(Result<Reply> result) noexcept override {
    const std::lock_guard lock(mutex_);
    if (++completed_ == 1) {
      result_.emplace(std::move(result));
    }
    answered_.notify_all();
  }

  const Result<Reply>& wait() {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return result_.has_value(); });
    return *result_;
  }
  [[nodiscard]] int completed() const {
    const std::lock_guard lock(mutex_);
    return completed_;
  }
  [[nodiscard]] bool answered() const { return completed() > 0; }
  // The outputs' first tensor, or what went wrong.
  std::vector<float> values() {
    const auto values = wait()->outputs.at(0).template values<float>();
    return {values.begin(), values.end()};
  }
  ErrorCode code() { return wait().error().code(); }
  std::string message() { return wait().error().message(); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  int completed_ = 0;                    // guarded by mutex_
  std::optional<Result<Reply>> result_;  // guarded by mutex_
};

inline Tensor floats(const Shape& shape, float from = 0) {
  Tensor tensor = Tensor::allocate(DType::kFloat32, shape);
  for (float& value : tensor.mutable_values<float>()) {
    value = from++;
  }
  return tensor;
}

}  // namespace maas::testing
