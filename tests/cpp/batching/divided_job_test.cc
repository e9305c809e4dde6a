// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/divided_job.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes.h"
#include "on_threads.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeJob;
using testing::floats;
using Jobs = std::vector<std::shared_ptr<Job>>;

class DividedJobTest : public ::testing::Test {
 protected:
  // Divides a job of so many rows of two floats, counting from 0.
  Jobs divide_rows(std::int64_t rows, std::int64_t rows_each) {
    whole_ = std::make_shared<FakeJob>(floats({rows, 2}));
    whole_->request.rows = rows;
    return divide_whole(testing::any_floats(), rows_each);
  }
  Jobs divide_whole(const Signature& signature, std::int64_t rows_each) {
    return divide(whole_, signature, rows_each, [this](Job& job, Result<Reply> reply) {
      EXPECT_EQ(&job, whole_.get());
      job.complete(std::move(reply));
    });
  }
  // A part's inputs as its answer, and how long that took.
  static Reply echo(const Job& part, Timings timings = {}) {
    return {part.request.inputs, timings};
  }
  static std::vector<std::int64_t> rows_of(const Jobs& parts) {
    std::vector<std::int64_t> rows;
    for (const auto& part : parts) {
      EXPECT_EQ(part->request.inputs[0].shape()[0], part->request.rows);
      rows.push_back(part->request.rows);
    }
    return rows;
  }

  std::shared_ptr<FakeJob> whole_;
};

TEST_F(DividedJobTest, parts_have_as_many_rows_as_allowed_and_the_last_what_is_left) {
  EXPECT_THAT(rows_of(divide_rows(7, 3)), ElementsAre(3, 3, 1));
  EXPECT_THAT(rows_of(divide_rows(6, 3)), ElementsAre(3, 3));
  EXPECT_THAT(rows_of(divide_rows(2, 1)), ElementsAre(1, 1));
  EXPECT_THAT(rows_of(divide_rows(2, 5)), ElementsAre(2));
}

TEST_F(DividedJobTest, parts_are_over_the_memory_of_the_whole_and_stand_where_it_does) {
  whole_ = std::make_shared<FakeJob>(floats({4, 2}), Deadline(TimePoint(milliseconds(7))));
  whole_->request.rows = 4;
  whole_->request.priority = 2;
  whole_->request.origin = std::make_shared<const Origin>();
  whole_->place.submitted = TimePoint(milliseconds(3));
  whole_->place.length = 11;
  whole_->place.bytes = 32;
  for (const auto& part : divide_whole(testing::any_floats(), 2)) {
    EXPECT_EQ(part->request.id.text(), whole_->request.id.text());
    EXPECT_EQ(part->request.deadline.at(), whole_->request.deadline.at());
    EXPECT_EQ(part->request.priority, 2);
    EXPECT_EQ(part->request.origin, whole_->request.origin);
    EXPECT_EQ(part->place.submitted, whole_->place.submitted);
    EXPECT_EQ(part->place.length, 11);
    EXPECT_EQ(part->place.bytes, 0U);  // counted once
    EXPECT_TRUE(part->place.is_part);
    const auto values = part->request.inputs[0].values<float>();
    EXPECT_EQ(values.data(), whole_->request.inputs[0].values<float>().data() +
                                 static_cast<std::ptrdiff_t>(values.front()));
  }
}

TEST_F(DividedJobTest, only_inputs_with_rows_are_divided) {
  const Signature signature{.inputs = {{"x", DType::kFloat32, {}},
                                       {.name = "left out", .row = {}, .optional = true},
                                       {.name = "size", .row = {}, .shape_tensor = true},
                                       {.name = "words", .dtype = DType::kBytes, .row = {}}},
                            .outputs = {}};
  whole_ = std::make_shared<FakeJob>(floats({3, 2}));
  whole_->request.rows = 3;
  whole_->request.inputs.resize(2);
  whole_->request.inputs.push_back(floats({5}));
  whole_->request.inputs.push_back(Tensor::from_strings({"a", "b", std::string(40, 'c')}, {3}));
  const Jobs parts = divide_whole(signature, 2);
  ASSERT_EQ(parts.size(), 2U);
  for (const auto& part : parts) {
    EXPECT_TRUE(part->request.inputs.at(1).is_absent());
    EXPECT_EQ(part->request.inputs.at(2).shape(), (Shape{5}));
  }
  EXPECT_THAT(parts[1]->request.inputs.at(3).strings(), ElementsAre(std::string(40, 'c')));
}

TEST_F(DividedJobTest, answers_become_one_in_the_order_of_the_rows_whoever_is_last) {
  const Jobs parts = divide_rows(5, 2);
  parts[2]->complete(echo(*parts[2]));
  parts[0]->complete(echo(*parts[0]));
  EXPECT_FALSE(whole_->answered());
  parts[1]->complete(echo(*parts[1]));
  EXPECT_THAT(whole_->values(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_EQ(whole_->wait()->outputs[0].shape(), (Shape{5, 2}));
  EXPECT_EQ(whole_->completed(), 1);
}

TEST_F(DividedJobTest, the_whole_took_as_long_as_its_slowest_parts) {
  const Jobs parts = divide_rows(3, 2);
  parts[0]->complete(
      echo(*parts[0], {.queue = milliseconds(1), .compute = milliseconds(20), .batch_rows = 2}));
  parts[1]->complete(
      echo(*parts[1], {.queue = milliseconds(5), .compute = milliseconds(10), .batch_rows = 3}));
  const Timings& timings = whole_->wait()->timings;
  EXPECT_EQ(timings.queue, milliseconds(5));
  EXPECT_EQ(timings.compute, milliseconds(20));
  EXPECT_EQ(timings.batch_rows, 3);
}

TEST_F(DividedJobTest,
       the_error_is_that_of_the_first_part_that_failed_and_comes_when_all_are_done) {
  const Jobs parts = divide_rows(4, 1);
  parts[2]->complete(Error(ErrorCode::kInternal, "third"));
  parts[1]->complete(Error(ErrorCode::kUnprocessable, "second"));
  parts[0]->complete(echo(*parts[0]));
  EXPECT_FALSE(whole_->answered());
  parts[3]->complete(echo(*parts[3]));
  EXPECT_EQ(whole_->message(), "second");
  EXPECT_EQ(whole_->code(), ErrorCode::kUnprocessable);
  EXPECT_EQ(whole_->completed(), 1);
}

TEST_F(DividedJobTest, answers_that_do_not_go_together_are_an_error) {
  const Jobs parts = divide_rows(2, 1);
  parts[0]->complete(Reply{{floats({1, 2})}, {}});
  parts[1]->complete(Reply{{floats({1, 3})}, {}});
  EXPECT_FALSE(whole_->wait());
  EXPECT_EQ(whole_->completed(), 1);
}

TEST_F(DividedJobTest, parts_are_cancelled_with_the_whole) {
  const Jobs parts = divide_rows(4, 2);
  EXPECT_FALSE(parts[1]->cancelled());
  whole_->cancel();
  for (const auto& part : parts) {
    EXPECT_TRUE(part->cancelled());
    EXPECT_EQ(part->cancellation(), whole_->cancellation());
  }
}

TEST_F(DividedJobTest, parts_keep_the_whole_and_its_memory_and_nothing_keeps_the_parts) {
  Jobs parts = divide_rows(2, 1);
  const std::weak_ptr<Job> part = parts[0];
  const std::weak_ptr<FakeJob> whole = whole_;
  whole_.reset();
  EXPECT_FALSE(whole.expired());
  parts.clear();
  EXPECT_TRUE(part.expired());
  EXPECT_TRUE(whole.expired());
}

TEST_F(DividedJobTest, parts_that_are_answered_at_once_by_many_threads_answer_the_whole_once) {
  for (int round = 0; round < 50; ++round) {
    const Jobs parts = divide_rows(4, 1);
    testing::run_on_threads(parts.size(),
                            [&](std::size_t i) { parts[i]->complete(echo(*parts[i])); });
    ASSERT_EQ(whole_->completed(), 1);
    EXPECT_THAT(whole_->values(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  }
}

}  // namespace
}  // namespace maas
