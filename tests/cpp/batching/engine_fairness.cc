// SPDX-License-Identifier: Apache-2.0
// Models that share executors: each gets its share of their time and no more.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "fakes.h"
#include <gtest/gtest.h>

#include "maas/batching/batcher.h"

namespace maas {
namespace {

using std::chrono::milliseconds;
using testing::FakeJob;
using testing::FakeModel;
using testing::floats;

class FairnessTest : public ::testing::Test {
 protected:
  struct Tenant {
    std::shared_ptr<FakeModel> model;
    std::shared_ptr<Batcher> batcher;
    std::vector<std::shared_ptr<FakeJob>> jobs;
  };

  ~FairnessTest() override {
    for (const Tenant& tenant : tenants_) {
      tenant.batcher->close(Deadline::never());
      pool_.remove(tenant.batcher.get());
    }
  }

  // A model each of whose batches, of one request, takes this long.
  Tenant& add(Duration cost, double weight = 1) {
    auto model = std::make_shared<FakeModel>();
    const std::size_t number = tenants_.size();
    model->behaviour = [this, number, cost](const Batch& batch, BatchDone done) {
      start_.pass();
      turns_.push_back(number);
      clock_->advance(cost);
      done(FakeModel::twice(batch));
    };
    auto batcher = std::make_shared<Batcher>(model, BatchOptions{.weight = weight},
                                             Batcher::Host{clock_, pool_, bytes_});
    pool_.add(batcher, weight);
    return tenants_.emplace_back(Tenant{std::move(model), std::move(batcher), {}});
  }
  void submit(Tenant& tenant, int requests) {
    for (int i = 0; i < requests; ++i) {
      tenant.jobs.push_back(std::make_shared<FakeJob>(floats({1, 1})));
      ASSERT_TRUE(tenant.batcher->submit(tenant.jobs.back()));
    }
  }
  void wait_for_all() {
    for (const Tenant& tenant : tenants_) {
      for (const auto& job : tenant.jobs) {
        job->wait();
      }
    }
  }
  // How many of the first turns were this model's.
  [[nodiscard]] std::ptrdiff_t turns_of(std::size_t number, std::size_t first) const {
    return std::count(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(first), number);
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  testing::Gate start_;
  std::vector<std::size_t> turns_;  // by the one executor
  ByteBudget bytes_;
  ExecutorPool pool_{{.name = "test"}, clock_};
  std::deque<Tenant> tenants_;
};

TEST_F(FairnessTest, a_model_with_one_request_waits_for_one_batch_of_a_flooded_one) {
  start_.close();
  Tenant& flooded = add(milliseconds(10));
  Tenant& quiet = add(milliseconds(10));
  submit(flooded, 200);
  flooded.model->started.wait_for(1);
  submit(quiet, 1);
  start_.open();
  wait_for_all();
  EXPECT_EQ(turns_of(1, 2), 1);
}

TEST_F(FairnessTest, busy_models_get_equal_time_whatever_their_batches_cost) {
  start_.close();
  Tenant& cheap = add(milliseconds(10));
  Tenant& dear = add(milliseconds(50));
  submit(cheap, 500);
  submit(dear, 100);
  start_.open();
  wait_for_all();
  EXPECT_NEAR(static_cast<double>(turns_of(0, 120)), 100, 7);
  EXPECT_NEAR(static_cast<double>(turns_of(1, 120)), 20, 7);
}

TEST_F(FairnessTest, weights_part_the_time) {
  start_.close();
  Tenant& light = add(milliseconds(10));
  Tenant& heavy = add(milliseconds(10), 3);
  submit(light, 200);
  submit(heavy, 200);
  start_.open();
  wait_for_all();
  EXPECT_NEAR(static_cast<double>(turns_of(1, 200)), 150, 4);
}

}  // namespace
}  // namespace maas
