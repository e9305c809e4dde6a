// SPDX-License-Identifier: Apache-2.0
// A batcher over a fake model, on a clock that stands still.
#pragma once

#include <memory>
#include <utility>

#include "fakes.h"
#include <gtest/gtest.h>

#include "maas/batching/batcher.h"

namespace maas::testing {

using JobPtr = std::shared_ptr<FakeJob>;

class BatcherFixture : public ::testing::Test {
 protected:
  ~BatcherFixture() override {
    model_->gate.open();
    if (batcher_) {
      batcher_->close(Deadline::never());
      pool_.remove(batcher_.get());
      EXPECT_EQ(batcher_->stats().in_flight.value(), 0);
      EXPECT_EQ(batcher_->stats().queued.value(), 0);
      EXPECT_EQ(bytes_.held(), 0U);
    }
  }

  void start(const BatchOptions& options) {
    pool_.grow_to(options.executors);
    batcher_ = std::make_shared<Batcher>(model_, options, Batcher::Host{clock_, pool_, bytes_});
    pool_.add(batcher_);
  }
  JobPtr submit(Tensor x, Deadline deadline = Deadline::never()) {
    auto job = std::make_shared<FakeJob>(std::move(x), deadline);
    const Status accepted = batcher_->submit(job);
    EXPECT_TRUE(accepted) << accepted.error().message();
    return job;
  }
  // Occupies the executor, so that what is submitted next waits.
  JobPtr block() {
    model_->gate.close();
    auto job = submit(floats({1, 2}));
    model_->started.wait_for(1);
    return job;
  }
  // The same where a window holds what is not full.
  JobPtr block_in_window() {
    model_->gate.close();
    auto job = submit(floats({batcher_->options().max_batch_size, 2}));
    model_->started.wait_for(1);
    return job;
  }
  Status refuse(Tensor x) {
    const auto job = std::make_shared<FakeJob>(std::move(x));
    const Status status = batcher_->submit(job);
    EXPECT_EQ(job->completed(), 0);
    return status;
  }
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<FakeModel> model_ = std::make_shared<FakeModel>();
  ExecutorPool pool_{{.name = "test"}, clock_};
  static constexpr std::size_t kByteLimit = 1U << 20U;
  ByteBudget bytes_{kByteLimit};
  std::shared_ptr<Batcher> batcher_;
};

}  // namespace maas::testing
