// SPDX-License-Identifier: Apache-2.0
// Ten thousand concurrent requests of random rows and lengths: every answer equals the one that the
// request would get alone, whatever shared its batch, was cancelled, or failed beside it.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fakes.h"
#include "on_threads.h"
#include <gtest/gtest.h>

#include "maas/batching/batcher.h"

namespace maas {
namespace {

using testing::FakeJob;

constexpr int kThreads = 4;
constexpr int kRequestsEach = 2500;
constexpr float kPoison = -1;  // the model throws when a row begins with it

Signature tokens() {
  return {
      .inputs = {{"ids", DType::kFloat32, Shape{-1}},
                 {.name = "mask", .dtype = DType::kFloat32, .row = Shape{-1}, .optional = true},
                 {.name = "bias", .dtype = DType::kFloat32, .row = Shape{}, .optional = true},
                 {.name = "power", .dtype = DType::kInt64, .row = Shape{}, .shape_tensor = true}},
      .outputs = {{"prefix", DType::kFloat32, Shape{-1}}, {"total", DType::kFloat32, Shape{}}}};
}

struct Expected {
  std::vector<float> prefix;
  std::vector<float> total;
};

// One row: prefix sums of ids^power where the mask is set, and their end plus the bias. Exact in
// float32, because all numbers are small integers.
struct Row {
  const float* ids;
  const float* mask;  // or null
  std::size_t length;
  float bias;
  std::int64_t power;
};

void answer_row(const Row& row, float* prefix, float* total) {
  float sum = 0;
  for (std::size_t i = 0; i < row.length; ++i) {
    const float id = row.ids[i];
    sum += (row.mask == nullptr || row.mask[i] != 0) ? (row.power == 2 ? id * id : id) : 0;
    prefix[i] = sum;
  }
  *total = sum + row.bias;
}

class TokenModel final : public Model {
 public:
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "fake"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    const auto rows = static_cast<std::size_t>(batch.rows);
    const auto length = static_cast<std::size_t>(batch.inputs[0].shape()[1]);
    const float* ids = batch.inputs[0].values<float>().data();
    const float* mask = batch.inputs[1].values<float>().data();
    BatchResult result;
    result.outputs = {Tensor::allocate(DType::kFloat32, batch.inputs[0].shape()),
                      Tensor::allocate(DType::kFloat32, {batch.rows})};
    for (std::size_t row = 0; row < rows; ++row) {
      if (length > 0 && ids[row * length] == kPoison) {
        throw std::runtime_error("poison");
      }
      const float bias = batch.inputs[2].is_absent() ? 0 : batch.inputs[2].values<float>()[row];
      answer_row({ids + row * length, mask + row * length, length, bias,
                  batch.inputs[3].values<std::int64_t>()[0]},
                 result.outputs[0].mutable_values<float>().data() + row * length,
                 &result.outputs[1].mutable_values<float>()[row]);
    }
    shared += batch.items.size() > 1 ? 1 : 0;
    done(std::move(result));
  }

  std::atomic<int> shared{0};  // batches of more than one request

 private:
  const Signature signature_ = tokens();
};

struct Sent {
  std::shared_ptr<FakeJob> job;
  Expected expected;
  bool poisoned = false;
  bool cancelled = false;
};

class Sender {
 public:
  Sender(Batcher& batcher, unsigned seed) : batcher_(batcher), random_(seed) {}

  void send_all() {
    for (int i = 0; i < kRequestsEach; ++i) {
      Sent sent = make();
      while (!batcher_.submit(sent.job)) {
        std::this_thread::yield();  // the queue is full
      }
      if (!sent.poisoned && random_() % 16 == 0) {
        sent.cancelled = true;
        batcher_.cancel(*sent.job, Error(ErrorCode::kCancelled, "the client left"));
      }
      all_.push_back(std::move(sent));
    }
  }

  void check() {
    for (const Sent& sent : all_) {
      const Result<Reply>& reply = sent.job->wait();
      ASSERT_EQ(sent.job->completed(), 1);
      if (sent.poisoned) {
        ASSERT_FALSE(reply);
        ASSERT_EQ(reply.error().message(), "poison");
      } else if (reply) {
        ASSERT_TRUE(same(reply->outputs[0], sent.expected.prefix));
        ASSERT_TRUE(same(reply->outputs[1], sent.expected.total));
        ++answered;
      } else {
        ASSERT_TRUE(sent.cancelled) << reply.error().message();
        ASSERT_EQ(reply.error().code(), ErrorCode::kCancelled);
      }
    }
  }

  int answered = 0;

 private:
  static bool same(const Tensor& tensor, const std::vector<float>& expected) {
    const auto values = tensor.values<float>();
    return std::equal(values.begin(), values.end(), expected.begin(), expected.end());
  }

  Sent make() {
    const std::int64_t rows =
        1 + static_cast<std::int64_t>(random_() % 6 == 0 ? random_() % 20 : 0);
    const auto length = static_cast<std::int64_t>(random_() % 40);
    Sent sent;
    sent.poisoned = length > 0 && random_() % 50 == 0;
    Tensor ids = Tensor::allocate(DType::kFloat32, {rows, length});
    for (float& id : ids.mutable_values<float>()) {
      id = static_cast<float>(random_() % 10);
    }
    if (sent.poisoned) {
      const auto row = random_() % static_cast<unsigned>(rows);
      ids.mutable_values<float>()[row * static_cast<std::size_t>(length)] = kPoison;
    }
    sent.job = std::make_shared<FakeJob>(std::move(ids));
    finish(sent, rows, length);
    return sent;
  }

  void finish(Sent& sent, std::int64_t rows, std::int64_t length) {
    std::vector<Tensor>& inputs = sent.job->request.inputs;
    inputs.resize(4);
    if (random_() % 2 == 0) {
      inputs[1] = Tensor::allocate(DType::kFloat32, {rows, length});
      for (float& bit : inputs[1].mutable_values<float>()) {
        bit = static_cast<float>(random_() % 2);
      }
    }
    if (random_() % 3 == 0) {
      inputs[2] = testing::floats({rows}, static_cast<float>(random_() % 100));
    }
    inputs[3] = Tensor::zeros(DType::kInt64, {});
    inputs[3].mutable_values<std::int64_t>()[0] = 1 + static_cast<std::int64_t>(random_() % 2);
    sent.job->request.priority = 1 + static_cast<int>(random_() % 10);
    expect(sent, static_cast<std::size_t>(rows), static_cast<std::size_t>(length));
  }

  static void expect(Sent& sent, std::size_t rows, std::size_t length) {
    const std::vector<Tensor>& inputs = sent.job->request.inputs;
    sent.expected.prefix.resize(rows * length);
    sent.expected.total.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const float* mask =
          inputs[1].is_absent() ? nullptr : inputs[1].values<float>().data() + row * length;
      const float bias = inputs[2].is_absent() ? 0 : inputs[2].values<float>()[row];
      answer_row({inputs[0].values<float>().data() + row * length, mask, length, bias,
                  inputs[3].values<std::int64_t>()[0]},
                 sent.expected.prefix.data() + row * length, &sent.expected.total[row]);
    }
  }

  Batcher& batcher_;
  std::mt19937 random_;
  std::vector<Sent> all_;
};

TEST(BatcherProperty, ten_thousand_concurrent_requests_get_the_answers_they_would_get_alone) {
  const auto clock = std::make_shared<SystemClock>();
  const auto model = std::make_shared<TokenModel>();
  ByteBudget bytes;
  ExecutorPool pool({.name = "test", .threads = 3}, clock);
  BatchOptions options{.max_batch_size = 8, .max_queue_size = 64, .executors = 3};
  options.pad = {{"ids", 7}};
  options.mask = "mask";
  options.max_batch_tokens = 200;
  const auto batcher = std::make_shared<Batcher>(model, options, Batcher::Host{clock, pool, bytes});
  pool.add(batcher);

  std::vector<Sender> senders;
  senders.reserve(kThreads);
  for (unsigned seed = 0; seed < kThreads; ++seed) {
    senders.emplace_back(*batcher, seed);
  }
  testing::run_on_threads(kThreads, [&](std::size_t t) { senders[t].send_all(); });
  int answered = 0;
  for (Sender& sender : senders) {
    sender.check();
    answered += sender.answered;
  }
  EXPECT_GT(answered, kThreads * kRequestsEach * 8 / 10);
  EXPECT_GT(model->shared.load(), 100);
  EXPECT_TRUE(batcher->close(Deadline::never()));
  EXPECT_EQ(batcher->stats().in_flight.value(), 0);
  EXPECT_EQ(bytes.held(), 0U);
  pool.remove(batcher.get());
}

}  // namespace
}  // namespace maas
