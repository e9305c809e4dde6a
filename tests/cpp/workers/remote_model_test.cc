// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "workers/fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas::testing {
namespace {

using namespace std::chrono_literals;

class RemoteModelTest : public WorkersTest {};

TEST_F(RemoteModelTest, what_goes_in_comes_out) {
  const auto model = make_model(make_pool(), kEcho);
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {3, 7}, {1, 150'000}, {0, 4}, {2, 0}, {64, 1000}}) {
    const auto result = run(*model, numbers(rows, columns, 5)).get();
    ASSERT_TRUE(result);
    const Tensor& y = result->outputs[0];
    EXPECT_EQ(y.shape(), (Shape{rows, columns}));
    const Batch same = numbers(rows, columns, 5);
    EXPECT_TRUE(std::equal(y.values<float>().begin(), y.values<float>().end(),
                           same.inputs[0].values<float>().begin()));
  }
}

TEST_F(RemoteModelTest, a_batch_larger_than_any_before_gets_memory_and_gives_it_back) {
  const auto model = make_model(make_pool(), kEcho);
  for (const std::int64_t floats : {10, 8'000'000, 10, 1'000'000}) {
    const auto result = run(*model, numbers(1, floats)).get();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->outputs[0].values<float>().back(),
              numbers(1, floats).inputs[0].values<float>().back());
  }
}

TEST_F(RemoteModelTest, texts_of_all_kinds_come_back) {
  const auto model = make_model(make_pool(), kObedient);
  const std::vector<std::string> texts = {"", std::string("a\0b", 3), std::string(100'000, 'x')};
  const auto result = run(*model, orders(texts)).get();
  ASSERT_TRUE(result);
  EXPECT_THAT(result->outputs[0].strings(), ::testing::ElementsAreArray(texts));
}

TEST_F(RemoteModelTest, an_error_of_the_model_comes_back_and_so_does_one_of_a_row) {
  const auto model = make_model(make_pool(), kObedient);
  const auto failed = run(*model, orders({"error"})).get();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(failed.error().message(), "no such thing");
  EXPECT_TRUE(failed.error().is_final());
  const auto row = run(*model, orders({"fine", "row error"})).get();
  ASSERT_TRUE(row);
  EXPECT_FALSE(row->row_errors.at(0));
  EXPECT_EQ(row->row_errors.at(1)->detail(), R"([{"loc":[]}])");
}

TEST_F(RemoteModelTest, ids_and_deadlines_of_requests_arrive) {
  const auto model = make_model(make_pool(), kObedient);
  Batch batch = orders({"id"});
  const std::string id(batch.items[0].id.text());
  EXPECT_EQ(text_of(run(*model, std::move(batch))), id);
  const int left = std::stoi(ask(*model, "deadline", Deadline::after(*clock_, 10s)));
  EXPECT_GT(left, 5000);
  EXPECT_LE(left, 10'000);
}

TEST_F(RemoteModelTest, a_request_cancelled_before_it_is_sent_arrives_cancelled) {
  const auto model = make_model(make_pool(), kObedient);
  Batch batch = orders({"until cancelled", "hello"});
  std::const_pointer_cast<Cancellation>(batch.items[0].cancellation)->cancel();
  EXPECT_EQ(text_of(run(*model, std::move(batch))), "cancelled");
}

TEST_F(RemoteModelTest, a_batch_that_nobody_waits_for_is_not_sent) {
  const auto model = make_model(make_pool(), kObedient);
  Batch batch = orders({"hang"});
  std::const_pointer_cast<Cancellation>(batch.items[0].cancellation)->cancel();
  EXPECT_EQ(text_of(run(*model, std::move(batch))), "cancelled: nobody waits for the answer");
}

TEST_F(RemoteModelTest, what_a_model_keeps_of_its_inputs_is_never_another_batchs) {
  const auto model = make_model(make_pool(), kKeeper);
  float sum = 0;
  for (int i = 1; i <= 10; ++i) {
    sum += static_cast<float>(i);
    const auto result = run(*model, numbers(1, 10, static_cast<float>(i))).get();
    ASSERT_TRUE(result);
    EXPECT_EQ(result->outputs[0].values<float>()[0], sum);
  }
}

TEST_F(RemoteModelTest, has_nothing_to_warm_up) {
  const auto model = make_model(make_pool(), kObedient);
  Arena arena(1);
  model->warm_up(1, {&arena, 1});
  EXPECT_EQ(model->platform(), "python");
}

}  // namespace
}  // namespace maas::testing
