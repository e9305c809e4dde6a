// SPDX-License-Identifier: Apache-2.0
// A worker process for the tests: it echoes, and misbehaves when it is told to.
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "maas/base/clock.h"
#include "maas/workers/child_process.h"
#include "maas/workers/worker_session.h"

namespace {

using namespace maas;

Signature any() {
  return {.inputs = {{"x", DType::kFloat32, {}}}, .outputs = {{"y", DType::kFloat32, {}}}};
}

// Gives back what it is given.
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
  const Signature signature_ = any();
};

// Answers from a thread of its own, behind a moment.
class Late final : public Model {
 public:
  ~Late() override {
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "late"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    threads_.emplace_back([batch = std::move(batch), done = std::move(done)]() mutable {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      BatchResult result;
      result.outputs = std::move(batch.inputs);
      done(std::move(result));
    });
  }

 private:
  const Signature signature_ = any();
  std::vector<std::thread> threads_;
};

// Each row is an order; the answer is a text.
class Obedient final : public Model {
 public:
  explicit Obedient(const WorkerSession& session) : session_(session) {}
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "obedient"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    std::vector<std::string> answers;
    BatchResult result;
    result.row_errors.resize(static_cast<std::size_t>(batch.rows));
    for (std::size_t i = 0; i < batch.inputs[0].elements(); ++i) {
      const std::string& order = batch.inputs[0].strings()[i];
      if (order == "row error") {
        result.row_errors[i] = Error(ErrorCode::kUnprocessable, "this row", R"([{"loc":[]}])");
      }
      answers.push_back(obey(order, batch, i));
    }
    const auto rows = static_cast<std::int64_t>(answers.size());
    result.outputs.push_back(Tensor::from_strings(std::move(answers), {rows}));
    done(std::move(result));
  }

 private:
  std::string obey(const std::string& order, const Batch& batch, std::size_t row) {
    if (order == "kill") {
      ::kill(::getpid(), SIGKILL);
    } else if (order.starts_with("exit")) {
      ::_exit(3);
    } else if (order == "hang") {
      for (;;) {
        ::pause();
      }
    } else if (order == "error") {
      throw Error(ErrorCode::kNotFound, "no such thing").as_final();
    } else if (order == "garbage") {
      (void)::write(ChildProcess::kDescriptor, "nonsense", 8);
      ::pause();
    } else if (order == "lie") {
      lie();
    } else if (order == "log") {
      session_.log({LogLevel::kWarning, "a word", "r-1", "line 1\nline 2"});
    } else if (order == "pid") {
      return std::to_string(::getpid());
    } else if (order == "until cancelled") {
      while (!batch.items[row].cancellation->cancelled()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return "cancelled";
    } else if (order == "deadline") {
      const auto left = batch.items[row].deadline.at() - std::chrono::steady_clock::now();
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
    } else if (order == "id") {
      return std::string(batch.items[row].id.text());
    }
    return order;
  }

  // An answer to a batch that was never asked.
  static void lie() {
    const Channel channel(FileDescriptor(::dup(ChildProcess::kDescriptor)));
    channel.send({.kind = wire::Kind::kAnswer, .slot = 7, .sequence = 1234});
    ::pause();
  }

  const WorkerSession& session_;
  const Signature signature_ = any();
};

// Keeps what it was given for ever, and answers with all of it so far.
class Keeper final : public Model {
 public:
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "keeper"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    kept_.push_back(batch.inputs[0]);
    Tensor sum = Tensor::allocate(DType::kFloat32, {1});
    sum.mutable_values<float>()[0] = 0;
    for (const Tensor& one : kept_) {
      sum.mutable_values<float>()[0] += one.values<float>()[0];
    }
    BatchResult result;
    result.outputs.push_back(std::move(sum));
    done(std::move(result));
  }

 private:
  const Signature signature_ = any();
  std::vector<Tensor> kept_;
};

}  // namespace

int main() {
  using namespace maas;
  try {
    WorkerSession session{FileDescriptor(ChildProcess::kDescriptor)};
    if (session.setup() == "exit") {
      return 4;
    }
    if (session.setup().starts_with("fail ")) {
      session.fail(session.setup().substr(5));
      return 1;
    }
    return session.serve({{std::make_shared<Echo>()},
                          {std::make_shared<Obedient>(session)},
                          {std::make_shared<Late>(), true},
                          {std::make_shared<Keeper>()}})
               ? 0
               : 1;
  } catch (const Error&) {
    return 2;
  }
}
