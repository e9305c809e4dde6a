// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/screening.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

const Signature& signature() {
  static const Signature kSignature = {.inputs = {{"text", DType::kBytes, Shape{}}}, .outputs = {}};
  return kSignature;
}

TaskPtr task(const std::vector<std::string>& texts) {
  auto made = std::make_shared<WorkerTask>();
  made->signature = &signature();
  made->exclusive = false;
  made->batch.rows = static_cast<std::int64_t>(texts.size());
  made->batch.inputs.push_back(Tensor::from_strings(texts, {made->batch.rows}));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    made->batch.items.emplace_back().id = RequestId::next();
  }
  return made;
}

constexpr TimePoint kNow{};

TEST(Screening, nothing_is_refused_while_nothing_has_died) {
  Screening screening;
  EXPECT_FALSE(screening.refusal(*task({"a"}), kNow));
}

TEST(Screening, one_that_was_alone_when_its_worker_died_twice_is_refused) {
  Screening screening;
  screening.died({task({"a"})}, kNow);
  EXPECT_FALSE(screening.refusal(*task({"a"}), kNow));
  EXPECT_FALSE(screening.is_culprit(*task({"a"}), kNow));
  screening.died({task({"a"})}, kNow);
  EXPECT_TRUE(screening.is_culprit(*task({"a"}), kNow));
  const auto refused = screening.refusal(*task({"a"}), kNow);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code(), ErrorCode::kUnprocessable);
  EXPECT_NE(refused->message().find("2 times; it is refused for 10 minutes"), std::string::npos);
  EXPECT_FALSE(screening.refusal(*task({"b"}), kNow));
  EXPECT_FALSE(screening.refusal(*task({"a"}), kNow + Suspects::kMemory));
}

TEST(Screening, a_suspect_runs_alone_and_is_taken_out_of_a_batch) {
  Screening screening;
  screening.died({task({"a", "b"})}, kNow);
  const TaskPtr alone = task({"a"});
  EXPECT_FALSE(screening.refusal(*alone, kNow));
  EXPECT_TRUE(alone->exclusive);
  const auto divided = screening.refusal(*task({"a", "c"}), kNow);
  ASSERT_TRUE(divided);
  EXPECT_TRUE(divided->is_shared());
  const TaskPtr whole = task({"a", "c"});
  whole->divides = false;
  EXPECT_FALSE(screening.refusal(*whole, kNow));
}

TEST(Screening, parts_of_a_batch_that_failed_run_and_tell_nothing_new) {
  Screening screening;
  const TaskPtr batch = task({"a", "b"});
  EXPECT_FALSE(screening.died({batch}, kNow));
  EXPECT_FALSE(screening.refusal(*batch, kNow));
  EXPECT_TRUE(screening.died({batch}, kNow));
  EXPECT_FALSE(screening.died({task({"a", "b"})}, kNow));
  EXPECT_FALSE(screening.died({}, kNow));
}

TEST(Screening, what_was_answered_is_no_suspect) {
  Screening screening;
  screening.died({task({"a"})}, kNow);
  screening.answered(*task({"a"}));
  screening.died({task({"a"})}, kNow);
  EXPECT_FALSE(screening.refusal(*task({"a"}), kNow));
}

TEST(Screening, models_of_one_pool_are_told_apart) {
  Screening screening;
  screening.died({task({"a"})}, kNow);
  screening.died({task({"a"})}, kNow);
  const TaskPtr other = task({"a"});
  other->model = 1;
  EXPECT_FALSE(screening.refusal(*other, kNow));
}

}  // namespace
}  // namespace maas
