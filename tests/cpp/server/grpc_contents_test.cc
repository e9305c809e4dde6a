// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_contents.h"

#include <cstdint>
#include <limits>
#include <string>

#include "protobuf_text.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::bytes_of;
using ::testing::ElementsAre;
using testing::field;
using ::testing::HasSubstr;
using testing::number;
using testing::packed;
using Kind = TensorProblem::Kind;

struct Read {
  std::optional<TensorProblem> problem;
  Tensor tensor;
};

Read read(DType dtype, const Shape& shape, std::string_view message, std::size_t most = 1000) {
  Read out;
  out.problem = read_contents({dtype, shape, true, most}, message, out.tensor);
  return out;
}

template <typename T>
std::vector<T> values(DType dtype, const Shape& shape, std::string_view message) {
  const Read out = read(dtype, shape, message);
  EXPECT_FALSE(out.problem) << out.problem->message;
  const auto all = out.problem ? std::span<const T>() : out.tensor.values<T>();
  return {all.begin(), all.end()};
}

TEST(GrpcContents, each_datatype_is_read_from_its_own_list) {
  EXPECT_THAT(values<bool>(DType::kBool, {3}, field(1, packed({1, 0, 2}))),
              ElementsAre(true, false, true));
  EXPECT_THAT(values<std::int8_t>(DType::kInt8, {2}, field(2, packed({-128, 127}))),
              ElementsAre(-128, 127));
  EXPECT_THAT(values<std::int16_t>(DType::kInt16, {1}, field(2, packed({-32768}))),
              ElementsAre(-32768));
  EXPECT_THAT(values<std::int32_t>(DType::kInt32, {1, 1}, field(2, packed({-2147483648}))),
              ElementsAre(std::numeric_limits<std::int32_t>::min()));
  EXPECT_THAT(values<std::int64_t>(DType::kInt64, {1},
                                   field(3, packed({std::numeric_limits<std::int64_t>::min()}))),
              ElementsAre(std::numeric_limits<std::int64_t>::min()));
  EXPECT_THAT(values<std::uint8_t>(DType::kUint8, {1}, field(4, packed({255}))), ElementsAre(255));
  EXPECT_THAT(values<std::uint16_t>(DType::kUint16, {1}, field(4, packed({65535}))),
              ElementsAre(65535));
  EXPECT_THAT(values<std::uint32_t>(DType::kUint32, {1}, field(4, packed({4294967295}))),
              ElementsAre(4294967295U));
  EXPECT_THAT(values<std::uint64_t>(DType::kUint64, {1}, field(5, packed({-1}))),
              ElementsAre(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_THAT(values<float>(DType::kFloat32, {2}, field(6, bytes_of<float>({0.5F, -1}))),
              ElementsAre(0.5F, -1));
  EXPECT_THAT(values<double>(DType::kFloat64, {2}, field(7, bytes_of<double>({0.1, 1e300}))),
              ElementsAre(0.1, 1e300));
  EXPECT_THAT(values<std::string>(DType::kBytes, {2}, field(8, "a\xff") + field(8, "")),
              ElementsAre("a\xff", ""));
}

TEST(GrpcContents, a_list_may_be_divided_and_stand_alone) {
  EXPECT_THAT(values<std::int32_t>(DType::kInt32, {4},
                                   number(2, 1) + field(2, packed({2, 3})) + number(2, -4)),
              ElementsAre(1, 2, 3, -4));
  const std::string one = "\x35" + bytes_of<float>({1.5F});
  EXPECT_THAT(values<float>(DType::kFloat32, {3}, one + field(6, bytes_of<float>({2, 3}))),
              ElementsAre(1.5F, 2, 3));
  EXPECT_THAT(values<float>(DType::kFloat32, {1}, one + number(100, 7)), ElementsAre(1.5F));
  EXPECT_THAT(values<float>(DType::kFloat32, {0, 3}, ""), ElementsAre());
}

TEST(GrpcContents, negative_numbers_may_have_32_bits_alone) {
  const std::string minus_one = field(2, "\xff\xff\xff\xff\x0f");
  EXPECT_THAT(values<std::int32_t>(DType::kInt32, {1}, minus_one), ElementsAre(-1));
  EXPECT_THAT(values<std::int8_t>(DType::kInt8, {1}, minus_one), ElementsAre(-1));
}

TEST(GrpcContents, another_number_of_elements_is_refused) {
  for (const std::string& message :
       {std::string(), field(6, bytes_of<float>({1})), field(6, bytes_of<float>({1, 2, 3}))}) {
    const Read out = read(DType::kFloat32, {2}, message);
    ASSERT_TRUE(out.problem);
    EXPECT_EQ(out.problem->kind, Kind::kShape);
    EXPECT_THAT(out.problem->message, HasSubstr("[2]"));
  }
  EXPECT_TRUE(read(DType::kInt8, {2}, field(2, packed({1, 2, 3}))).problem);
  EXPECT_TRUE(read(DType::kInt8, {2}, number(2, 1)).problem);
  EXPECT_TRUE(read(DType::kBytes, {2}, field(8, "a")).problem);
  EXPECT_TRUE(read(DType::kBytes, {1}, field(8, "a") + field(8, "b")).problem);
  EXPECT_TRUE(read(DType::kInt8, {std::int64_t{1} << 62}, "").problem);
  EXPECT_TRUE(read(DType::kInt64, {std::int64_t{1} << 62}, "").problem);
  EXPECT_TRUE(read(DType::kInt8, {-1}, "").problem);
}

TEST(GrpcContents, what_the_datatype_cannot_hold_is_refused) {
  for (const auto& [dtype, list, value] : {std::tuple{DType::kInt8, 2, std::int64_t{128}},
                                           {DType::kInt16, 2, -32769},
                                           {DType::kInt32, 2, std::int64_t{1} << 32},
                                           {DType::kUint8, 4, 256},
                                           {DType::kUint8, 4, -1},
                                           {DType::kUint32, 4, std::int64_t{1} << 32}}) {
    const Read out = read(dtype, {1}, number(static_cast<std::uint32_t>(list), value));
    ASSERT_TRUE(out.problem) << value;
    EXPECT_EQ(out.problem->kind, Kind::kRange);
    EXPECT_THAT(out.problem->message, HasSubstr("cannot hold"));
  }
}

TEST(GrpcContents, another_list_than_the_datatype_s_is_refused_by_name) {
  const Read out = read(DType::kFloat32, {1}, field(7, bytes_of<double>({1})));
  ASSERT_TRUE(out.problem);
  EXPECT_EQ(out.problem->message,
            "is of FP32, whose elements go into fp32_contents, not into fp64_contents");
  for (const DType dtype : {DType::kFloat16, DType::kBfloat16}) {
    EXPECT_THAT(read(dtype, {1}, "").problem->message, HasSubstr("only raw_input_contents"));
  }
}

TEST(GrpcContents, memory_is_bounded_before_it_is_taken) {
  const std::string many(200, '\1');
  const Read large = read(DType::kInt64, {200}, field(3, many));
  ASSERT_TRUE(large.problem);
  EXPECT_EQ(large.problem->kind, Kind::kSize);
  EXPECT_THAT(large.problem->message, HasSubstr("would take 1600 bytes in memory"));
  std::string texts;
  for (int i = 0; i < 5; ++i) {
    texts += field(8, std::string(190, 'x'));
  }
  EXPECT_EQ(read(DType::kBytes, {5}, texts).problem->kind, Kind::kSize);
}

TEST(GrpcContents, malformed_lists_are_refused) {
  EXPECT_THROW(read(DType::kFloat32, {1}, field(6, "abc")), Error);
  EXPECT_THROW(read(DType::kFloat32, {1}, number(6, 1)), Error);
  EXPECT_THROW(read(DType::kInt32, {1}, field(2, "\x80")), Error);
  EXPECT_THROW(read(DType::kInt32, {1}, "\x15" + bytes_of<float>({1})), Error);
  EXPECT_THROW(read(DType::kBytes, {1}, number(8, 1)), Error);
}

}  // namespace
}  // namespace maas
