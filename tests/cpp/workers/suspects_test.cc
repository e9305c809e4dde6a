// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/suspects.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

Signature signature() {
  return {.inputs = {{"x", DType::kFloat32, {}}, {"s", DType::kBytes, {}}}, .outputs = {}};
}

Batch batch_of(const std::vector<float>& numbers, const std::vector<std::string>& texts) {
  Batch batch;
  batch.rows = static_cast<std::int64_t>(numbers.size());
  Tensor x = Tensor::allocate(DType::kFloat32, {batch.rows});
  std::copy(numbers.begin(), numbers.end(), x.mutable_values<float>().begin());
  batch.inputs = {std::move(x), Tensor::from_strings(texts, {batch.rows})};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    batch.items.push_back({RequestId::next(), 1, {}, nullptr});
  }
  return batch;
}

Digest digest(const std::vector<float>& numbers,
              const std::vector<std::string>& texts,
              std::size_t index = 0) {
  return digest_of(batch_of(numbers, texts), index, signature());
}

TEST(Digest, is_the_same_for_the_same_request_in_any_company) {
  EXPECT_EQ(digest({1, 2}, {"a", "b"}, 1), digest({2}, {"b"}));
  EXPECT_EQ(digest({1, 2}, {"a", "b"}, 0), digest({1}, {"a"}));
}

TEST(Digest, differs_for_each_difference) {
  const std::set<Digest> all = {digest({1}, {"a"}),
                                digest({2}, {"a"}),
                                digest({1}, {"b"}),
                                digest({1}, {""}),
                                digest({1}, {"aaaaaaaa"}),
                                digest({1}, {"aaaaaaaaa"}),
                                digest({1}, {std::string(1, '\0')})};
  EXPECT_EQ(all.size(), 7U);
}

TEST(Digest, tells_where_one_text_ends_and_the_next_begins) {
  const Signature texts = {.inputs = {{"a", DType::kBytes, {}}, {"b", DType::kBytes, {}}},
                           .outputs = {}};
  const auto of = [&](const char* a, const char* b) {
    Batch batch;
    batch.inputs = {Tensor::from_strings({a}, {1}), Tensor::from_strings({b}, {1})};
    batch.items.push_back({});
    return digest_of(batch, 0, texts);
  };
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
}

TEST(Suspects, one_that_was_alone_twice_is_the_culprit) {
  Suspects suspects;
  const Digest one{1, 2};
  suspects.died(one, RequestId::next(), false, TimePoint{});
  EXPECT_FALSE(suspects.find(one, TimePoint{})->is_culprit());
  suspects.died(one, RequestId::next(), true, TimePoint{});
  EXPECT_FALSE(suspects.find(one, TimePoint{})->is_culprit());
  const RequestId last = RequestId::next();
  suspects.died(one, last, true, TimePoint{});
  EXPECT_TRUE(suspects.find(one, TimePoint{})->is_culprit());
  EXPECT_EQ(suspects.find(one, TimePoint{})->last.text(), last.text());
  EXPECT_FALSE(suspects.find({3, 4}, TimePoint{}));
}

TEST(Suspects, an_answer_clears_it_and_so_does_time) {
  Suspects suspects;
  suspects.died({1, 2}, {}, true, TimePoint{});
  suspects.answered({1, 2});
  EXPECT_TRUE(suspects.empty());
  suspects.died({1, 2}, {}, true, TimePoint{});
  EXPECT_FALSE(suspects.find({1, 2}, TimePoint{} + Suspects::kMemory));
  EXPECT_TRUE(suspects.empty());
}

TEST(Suspects, the_oldest_makes_room) {
  Suspects suspects;
  for (std::uint64_t i = 0; i <= Suspects::kMost; ++i) {
    suspects.died({i, 0}, {}, true, TimePoint{} + Duration(static_cast<std::int64_t>(i)));
  }
  EXPECT_FALSE(suspects.find({0, 0}, TimePoint{}));
  EXPECT_TRUE(suspects.find({1, 0}, TimePoint{}));
  EXPECT_TRUE(suspects.find({Suspects::kMost, 0}, TimePoint{}));
}

}  // namespace
}  // namespace maas
