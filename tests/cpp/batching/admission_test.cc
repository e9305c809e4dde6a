// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/admission.h"

#include <chrono>
#include <memory>
#include <utility>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeJob;
using testing::floats;
using ::testing::HasSubstr;

constexpr TimePoint kNow{seconds(1000)};

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest()
      : AdmissionTest(testing::any_floats(), {.max_batch_size = 4, .max_queue_size = 3}) {}
  AdmissionTest(Signature signature, BatchOptions options)
      : signature_(std::move(signature)), options_(std::move(options)) {}

  [[nodiscard]] Admission::Load load(int running = 0) const { return {queue_, service_, running}; }
  // So many rows wait, each a job of its own.
  void wait(int jobs, int priority = kDefaultPriority) {
    for (int i = 0; i < jobs; ++i) {
      const auto job = std::make_shared<FakeJob>(floats({1, 2}));
      job->request.priority = priority;
      job->place.submitted = kNow;
      queue_.push(job);
    }
  }
  // Every batch takes a second.
  void learn() {
    service_.begin(kNow - seconds(1), true);
    service_.end(kNow, 1, seconds(1), true);
  }
  [[nodiscard]] Status due_in(Duration patience,
                              int running,
                              int priority = kDefaultPriority) const {
    FakeJob job(floats({1, 2}), Deadline(kNow + patience));
    job.request.priority = priority;
    return admission_.check_deadline(load(running), job, kNow);
  }

  const Signature signature_;
  const BatchOptions options_;
  const Padding padding_{signature_, options_};
  const BatchKey key_{signature_, padding_};
  ByteBudget bytes_{1000};
  WaitQueue queue_{key_, options_};
  ServiceTime service_{options_.executors};
  const Admission admission_{{signature_, options_, padding_, bytes_}};
};

TEST_F(AdmissionTest, a_request_that_fits_gets_its_rows_its_time_and_its_bytes) {
  FakeJob job(floats({3, 2}));
  job.place.parts = 7;  // of an earlier life
  EXPECT_TRUE(admission_.prepare(job, kNow));
  EXPECT_EQ(job.request.rows, 3);
  EXPECT_EQ(job.place.submitted, kNow);
  EXPECT_EQ(job.place.length, 0);
  EXPECT_EQ(job.place.parts, 0);
  EXPECT_EQ(job.place.bytes, 24U);
  EXPECT_EQ(bytes_.held(), 24U);
}

TEST_F(AdmissionTest, a_request_that_does_not_fit_is_refused_and_takes_no_bytes) {
  FakeJob wrong(Tensor::zeros(DType::kInt64, {1}));
  wrong.place.bytes = 99;
  EXPECT_EQ(admission_.prepare(wrong, kNow).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(wrong.place.bytes, 0U);
  FakeJob empty(floats({0, 2}));
  EXPECT_EQ(admission_.prepare(empty, kNow).error().code(), ErrorCode::kInvalidArgument);
  FakeJob missing{Tensor()};
  EXPECT_EQ(admission_.prepare(missing, kNow).error().code(), ErrorCode::kInvalidArgument);
  FakeJob none{Tensor()};
  none.request.inputs.clear();
  EXPECT_EQ(admission_.prepare(none, kNow).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(bytes_.held(), 0U);
}

TEST_F(AdmissionTest, more_bytes_than_the_server_may_hold_are_overload) {
  FakeJob large(floats({250}));
  EXPECT_TRUE(admission_.prepare(large, kNow));
  FakeJob more(floats({1}));
  const Status refused = admission_.prepare(more, kNow);
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message(), HasSubstr("max_held_bytes"));
  EXPECT_EQ(more.place.bytes, 0U);
  EXPECT_EQ(bytes_.held(), 1000U);
}

TEST_F(AdmissionTest, the_queue_takes_as_many_jobs_as_it_has_room_for) {
  wait(1);
  EXPECT_TRUE(admission_.check_room(load(), 2));
  const Status refused = admission_.check_room(load(), 3);
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message(), HasSubstr("queue of 3 requests is full"));
  EXPECT_EQ(refused.error().retry_after(), Duration::zero());  // nobody can tell yet
  wait(2);
  EXPECT_FALSE(admission_.check_room(load(), 1));
}

TEST_F(AdmissionTest, a_full_queue_says_when_what_waits_will_be_done) {
  wait(2);
  learn();
  const Status refused = admission_.check_room(load(1), 2);
  EXPECT_EQ(refused.error().retry_after(), milliseconds(1500));  // half a batch, and one that runs
}

TEST_F(AdmissionTest, a_deadline_that_has_passed_is_refused_as_such_by_a_busy_model) {
  EXPECT_EQ(due_in(-seconds(1), 1).error().code(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(due_in(Duration::zero(), 1).error().code(), ErrorCode::kDeadlineExceeded);
}

TEST_F(AdmissionTest, an_idle_model_takes_everything) {
  learn();
  EXPECT_TRUE(due_in(milliseconds(1), 0));
  EXPECT_TRUE(due_in(-seconds(1), 0));  // and answers it as late
  EXPECT_FALSE(due_in(milliseconds(1), 1));
}

TEST_F(AdmissionTest, before_the_first_batch_nobody_is_refused) {
  wait(3);
  EXPECT_TRUE(due_in(milliseconds(1), 1));
}

TEST_F(AdmissionTest,
       what_cannot_be_answered_in_time_is_refused_with_the_time_until_it_is_its_turn) {
  wait(2);
  learn();
  // Half a batch waits, one runs and its own takes one: two and a half seconds,
  // and a tenth more to be sure.
  EXPECT_TRUE(due_in(milliseconds(2751), 1));
  const Status refused = due_in(milliseconds(2750), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kOverloaded);
  EXPECT_EQ(refused.error().retry_after(), milliseconds(1500));
}

TEST_F(AdmissionTest, only_what_goes_before_a_request_counts_against_its_deadline) {
  wait(2, kLowestPriority);
  learn();
  EXPECT_TRUE(due_in(milliseconds(2201), 1, kHighestPriority));
  EXPECT_FALSE(due_in(milliseconds(2201), 1, kLowestPriority));
}

TEST_F(AdmissionTest, a_request_without_a_deadline_is_never_too_late) {
  wait(3);
  learn();
  const FakeJob patient(floats({1, 2}));
  EXPECT_TRUE(admission_.check_deadline(load(1), patient, kNow));
}

class AdmissionPaddedTest : public AdmissionTest {
 protected:
  AdmissionPaddedTest()
      : AdmissionTest(
            {.inputs = {{"x", DType::kFloat32, Shape{-1}},
                        {"mask", DType::kInt64, Shape{-1}, true}},
             .outputs = {{"y", DType::kFloat32, Shape{}}}},
            {.max_batch_size = 4, .pad = {{"x"}}, .mask = "mask", .max_batch_tokens = 10}) {}

  std::unique_ptr<FakeJob> prepared(const Shape& shape) {
    auto job = std::make_unique<FakeJob>(floats(shape));
    job->request.inputs.emplace_back();
    EXPECT_TRUE(admission_.prepare(*job, kNow));
    return job;
  }
};

TEST_F(AdmissionPaddedTest, the_mask_that_is_supplied_counts_among_the_bytes) {
  const auto job = prepared({2, 5});
  EXPECT_EQ(job->place.length, 5);
  EXPECT_FALSE(job->request.inputs[1].is_absent());
  EXPECT_EQ(job->place.bytes, 2U * 5 * 4 + 2U * 5 * 8);
}

TEST_F(AdmissionPaddedTest, as_many_rows_fit_a_batch_as_their_tokens_allow) {
  EXPECT_EQ(admission_.most_rows(*prepared({1, 0})), 4);
  EXPECT_EQ(admission_.most_rows(*prepared({1, 1})), 4);
  EXPECT_EQ(admission_.most_rows(*prepared({1, 3})), 3);
  EXPECT_EQ(admission_.most_rows(*prepared({9, 4})), 2);
  EXPECT_EQ(admission_.most_rows(*prepared({1, 10})), 1);
}

TEST_F(AdmissionPaddedTest, a_request_longer_than_any_batch_is_refused_with_both_lengths) {
  FakeJob job(floats({1, 11}));
  job.request.inputs.emplace_back();
  const Status refused = admission_.prepare(job, kNow);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message(), HasSubstr("11 long, the model takes at most 10"));
  EXPECT_EQ(bytes_.held(), 0U);
}

}  // namespace
}  // namespace maas
