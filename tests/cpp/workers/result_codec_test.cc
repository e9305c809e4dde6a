// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/result_codec.h"

#include <chrono>
#include <cstring>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/workers/wire.h"

namespace maas {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<SharedMemory> written(const Result<BatchResult>& result) {
  auto memory = SharedMemory::create(result_size(result));
  write_result(result, *memory);
  return memory;
}

BatchResult two_rows() {
  BatchResult result;
  result.outputs.push_back(Tensor::from_strings({"one", "two"}, {2}));
  result.outputs.push_back(Tensor::zeros(DType::kInt64, {2, 2}));
  return result;
}

TEST(ResultCodec, outputs_come_back_as_they_were_and_are_copies) {
  const auto memory = written(two_rows());
  const auto result = read_result(*memory, 2);
  ASSERT_TRUE(result && *result);
  EXPECT_THAT((*result)->outputs[0].strings(), ElementsAre("one", "two"));
  EXPECT_EQ((*result)->outputs[1].shape(), (Shape{2, 2}));
  EXPECT_TRUE((*result)->row_errors.empty());
  EXPECT_EQ(memory.use_count(), 1);
}

TEST(ResultCodec, errors_of_rows_come_back_with_all_they_say) {
  BatchResult result = two_rows();
  result.row_errors = {std::nullopt, Error(ErrorCode::kOverloaded, "busy", "[1]")
                                         .with_http_status(418)
                                         .with_retry_after(std::chrono::seconds(3))
                                         .as_shared()};
  const auto read = read_result(*written(std::move(result)), 2);
  ASSERT_TRUE(read && *read);
  ASSERT_EQ((*read)->row_errors.size(), 2U);
  EXPECT_FALSE((*read)->row_errors[0]);
  const Error& error = *(*read)->row_errors[1];
  EXPECT_EQ(error.code(), ErrorCode::kOverloaded);
  EXPECT_EQ(error.message(), "busy");
  EXPECT_EQ(error.detail(), "[1]");
  EXPECT_EQ(error.http_status(), 418);
  EXPECT_EQ(error.retry_after(), std::chrono::seconds(3));
  EXPECT_TRUE(error.is_shared());
  EXPECT_FALSE(error.is_final());
}

TEST(ResultCodec, the_error_of_a_whole_batch_comes_back) {
  const auto read = read_result(*written(Error(ErrorCode::kNotFound, "gone").as_final()), 2);
  ASSERT_TRUE(read);
  ASSERT_FALSE(*read);
  EXPECT_EQ(read->error().message(), "gone");
  EXPECT_TRUE(read->error().is_final());
}

TEST(ResultCodec, an_answer_to_another_number_of_rows_is_none) {
  BatchResult result = two_rows();
  result.row_errors.resize(2);
  const auto memory = written(std::move(result));
  EXPECT_TRUE(read_result(*memory, 2));
  EXPECT_FALSE(read_result(*memory, 3));
}

TEST(ResultCodec, impossible_errors_are_refused) {
  const Result<BatchResult> failed = Error(ErrorCode::kNotFound, "gone");
  const auto refused = [&](auto spoil) {
    const auto memory = written(failed);
    wire::ErrorHeader header;
    std::byte* place = memory->bytes().data() + sizeof(wire::ResultHeader);
    std::memcpy(&header, place, sizeof(header));
    spoil(header);
    std::memcpy(place, &header, sizeof(header));
    return !read_result(*memory, 1);
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& error) { error.code = 200; }));
  EXPECT_TRUE(refused([](auto& error) { error.http_status = 200; }));
  EXPECT_TRUE(refused([](auto& error) { error.offset = ~std::uint64_t{0}; }));
  EXPECT_TRUE(refused([](auto& error) { error.message = std::uint64_t{1} << 40U; }));
  EXPECT_TRUE(refused([](auto& error) { error.detail = ~std::uint64_t{0}; }));
}

TEST(ResultCodec, random_bytes_are_never_looked_at_from_outside) {
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same bytes in each run, on purpose
  std::mt19937 random(7);
  BatchResult result = two_rows();
  result.row_errors = {Error(ErrorCode::kInternal, "x"), std::nullopt};
  const Result<BatchResult> whole = std::move(result);
  const auto memory = SharedMemory::create(result_size(whole));
  for (int i = 0; i < 2000; ++i) {
    write_result(whole, *memory);
    for (int spoilt = 0; spoilt < 4; ++spoilt) {
      memory->bytes()[random() % result_size(whole)] = static_cast<std::byte>(random());
    }
    (void)read_result(*memory, 2);
  }
}

}  // namespace
}  // namespace maas
