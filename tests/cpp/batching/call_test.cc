// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/call.h"

#include <future>
#include <memory>

#include <gtest/gtest.h>

#include "maas/exec/executor_pool.h"

namespace maas {
namespace {

// Adds one to float32 rows of one number, once `open` is set.
class AddOne final : public Model {
 public:
  AddOne() {
    signature_.inputs = {{"x", DType::kFloat32, Shape{1}}};
    signature_.outputs = {{"y", DType::kFloat32, Shape{1}}};
  }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "test"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    gate.get_future().wait();
    Tensor y = Tensor::allocate(DType::kFloat32, batch.inputs[0].shape());
    for (std::size_t i = 0; i < y.elements(); ++i) {
      y.mutable_values<float>()[i] = batch.inputs[0].values<float>()[i] + 1;
    }
    BatchResult result;
    result.outputs = {y};
    done(std::move(result));
  }
  std::promise<void> gate;

 private:
  Signature signature_;
};

class CallTest : public testing::Test {
 protected:
  CallTest() { pool_.add(batcher_); }
  ~CallTest() override { pool_.remove(batcher_.get()); }

  static std::vector<Tensor> row(float value) {
    Tensor x = Tensor::allocate(DType::kFloat32, {1, 1});
    x.mutable_values<float>()[0] = value;
    return {x};
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<AddOne> model_ = std::make_shared<AddOne>();
  ExecutorPool pool_{{.name = "test", .threads = 1, .intra_op_threads = 1}, clock_};
  ByteBudget bytes_;
  std::shared_ptr<Batcher> batcher_ =
      std::make_shared<Batcher>(model_, BatchOptions{}, Batcher::Host{clock_, pool_, bytes_});
};

TEST_F(CallTest, gives_the_answer_to_the_waiting_caller) {
  model_->gate.set_value();
  const Result<Reply> reply = call(*batcher_, row(41), *clock_, Caller{});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->outputs[0].values<float>()[0], 42);
}

TEST_F(CallTest, stops_waiting_at_the_deadline) {
  const Deadline deadline = Deadline::after(*clock_, std::chrono::seconds(1));
  auto answer = std::async(std::launch::async, [&] {
    return call(*batcher_, row(1), *clock_, Caller{.deadline = deadline});
  });
  clock_->advance(std::chrono::seconds(1));
  const Result<Reply> reply = answer.get();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), ErrorCode::kDeadlineExceeded);
  model_->gate.set_value();
}

TEST_F(CallTest, refuses_inputs_that_do_not_fit_without_running_them) {
  const Result<Reply> reply = call(*batcher_, {}, *clock_, Caller{});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(CallTest, calls_back_once_for_an_answer_and_for_a_refusal) {
  model_->gate.set_value();
  std::promise<float> answer;
  call_async(*batcher_, row(1), Caller{}, [&](Result<Reply> reply) {
    answer.set_value(std::move(reply).value().outputs[0].values<float>()[0]);
  });
  EXPECT_EQ(answer.get_future().get(), 2);
  std::promise<ErrorCode> refusal;
  call_async(*batcher_, {}, Caller{},
             [&](const Result<Reply>& reply) { refusal.set_value(reply.error().code()); });
  EXPECT_EQ(refusal.get_future().get(), ErrorCode::kInvalidArgument);
}

TEST_F(CallTest, a_call_for_a_request_has_its_id_priority_and_the_earlier_deadline) {
  const auto cancellation = std::make_shared<Cancellation>();
  const Deadline early = Deadline::after(*clock_, std::chrono::seconds(1));
  const Deadline late = Deadline::after(*clock_, std::chrono::seconds(9));
  const BatchItem item{RequestId::next(), 1, early, cancellation, 2};
  const Caller caller = Caller::of({&item, 1}, late);
  EXPECT_EQ(caller.id.text(), item.id.text());
  EXPECT_EQ(caller.priority, 2);
  EXPECT_EQ(caller.deadline.at(), early.at());
  EXPECT_EQ(caller.cancellation, cancellation);
  EXPECT_EQ(
      Caller::of({&item, 1}, Deadline::after(*clock_, std::chrono::milliseconds(3))).deadline.at(),
      Deadline::after(*clock_, std::chrono::milliseconds(3)).at());
  EXPECT_EQ(Caller::of({}, late).deadline.at(), late.at());
}

TEST_F(CallTest, a_call_for_a_whole_batch_lives_as_long_as_its_last_request) {
  const Deadline early = Deadline::after(*clock_, std::chrono::seconds(1));
  const Deadline late = Deadline::after(*clock_, std::chrono::seconds(9));
  const std::vector<BatchItem> items = {
      {RequestId::next(), 1, early, std::make_shared<Cancellation>(), 7},
      {RequestId::next(), 1, late, std::make_shared<Cancellation>(), 3}};
  const Caller caller = Caller::of(items, Deadline::never());
  EXPECT_EQ(caller.deadline.at(), late.at());
  EXPECT_EQ(caller.priority, 3);
  EXPECT_EQ(caller.cancellation, nullptr);
}

TEST_F(CallTest, a_call_for_a_request_whose_client_left_is_not_run) {
  const auto left = std::make_shared<Cancellation>();
  const BatchItem item{RequestId::next(), 1, Deadline::never(), left};
  std::promise<ErrorCode> first;
  std::promise<ErrorCode> second;
  // The first occupies the executor, so that the second waits.
  call_async(*batcher_, row(1), Caller{}, [&](const Result<Reply>&) { first.set_value({}); });
  call_async(*batcher_, row(2), Caller::of({&item, 1}, Deadline::never()),
             [&](const Result<Reply>& reply) { second.set_value(reply.error().code()); });
  left->cancel();
  model_->gate.set_value();
  EXPECT_EQ(second.get_future().get(), ErrorCode::kCancelled);
  first.get_future().wait();
}

}  // namespace
}  // namespace maas
