// SPDX-License-Identifier: Apache-2.0
#include "maas/server/tensor_reader.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = TensorProblem::Kind;

constexpr std::size_t kPlenty = 1U << 20U;

// Reads `text`, behind which the reader must stand exactly; throws as read_tensor does.
std::optional<TensorProblem> read(std::string_view text, const TensorForm& form, Tensor& out) {
  const std::string all = "[" + std::string(text) + ",7]";
  JsonReader json(all);
  json.begin_array();
  EXPECT_TRUE(json.next_item());
  auto problem = read_tensor(json, form, out);
  EXPECT_TRUE(json.next_item());
  EXPECT_EQ(json.integer(), 7);
  return problem;
}

template <typename T>
std::vector<T> values(std::string_view text, DType dtype, const Shape& shape, bool flat = false) {
  Tensor tensor;
  const auto problem = read(text, {dtype, shape, flat, kPlenty}, tensor);
  EXPECT_FALSE(problem.has_value()) << problem->message;
  return {tensor.values<T>().begin(), tensor.values<T>().end()};
}

TensorProblem refused(std::string_view text, DType dtype, const Shape& shape, bool flat = false) {
  Tensor tensor;
  const auto problem = read(text, {dtype, shape, flat, kPlenty}, tensor);
  EXPECT_TRUE(problem.has_value()) << text;
  return problem.value_or(TensorProblem{});
}

TEST(TensorReader, nested_arrays_are_read_into_their_shape) {
  EXPECT_THAT(values<float>("[[1, 2.5],[ -3e2 ,4]]", DType::kFloat32, Shape{2, 2}),
              ElementsAre(1.0F, 2.5F, -300.0F, 4.0F));
  EXPECT_THAT(values<std::int64_t>("[[[1],[2]]]", DType::kInt64, Shape({1, 2, 1})),
              ElementsAre(1, 2));
}

TEST(TensorReader, a_flat_array_will_do_where_it_is_allowed) {
  EXPECT_THAT(values<float>("[1,2,3,4]", DType::kFloat32, Shape{2, 2}, true),
              ElementsAre(1.0F, 2.0F, 3.0F, 4.0F));
  EXPECT_THAT(values<float>("[5]", DType::kFloat32, Shape{}, true), ElementsAre(5.0F));
  EXPECT_EQ(refused("[1,2,3,4]", DType::kFloat32, Shape{2, 2}).kind, Kind::kShape);
}

TEST(TensorReader, a_scalar_is_a_bare_value) {
  EXPECT_THAT(values<float>("2.5", DType::kFloat32, Shape{}), ElementsAre(2.5F));
  EXPECT_THAT(values<std::uint8_t>(" 7 ", DType::kUint8, Shape{}), ElementsAre(7));
  EXPECT_EQ(refused("[1]", DType::kFloat32, Shape{}).kind, Kind::kShape);
  EXPECT_EQ(refused("true", DType::kFloat32, Shape{}).kind, Kind::kType);
}

TEST(TensorReader, empty_dimensions_are_read) {
  EXPECT_THAT(values<float>("[]", DType::kFloat32, Shape{0}), ElementsAre());
  EXPECT_THAT(values<float>("[[],[]]", DType::kFloat32, Shape{2, 0}), ElementsAre());
  EXPECT_THAT(values<float>("[]", DType::kFloat32, Shape{2, 0}, true), ElementsAre());
  EXPECT_THAT(values<std::string>("[]", DType::kBytes, Shape{0}), ElementsAre());
}

TEST(TensorReader, free_dimensions_take_what_comes) {
  Tensor tensor;
  const TensorForm form{DType::kInt64, Shape{-1, 2}, false, kPlenty};
  EXPECT_FALSE(read("[[1,2],[3,4],[5,6]]", form, tensor).has_value());
  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(read("[[1,2],[3]]", form, tensor)->kind, Kind::kShape);
  EXPECT_EQ(read("[1]", form, tensor)->kind, Kind::kShape);
}

TEST(TensorReader, every_dtype_is_read_and_its_edges_are_exact) {
  EXPECT_THAT(values<std::uint8_t>("[0,255]", DType::kUint8, Shape{2}), ElementsAre(0, 255));
  EXPECT_THAT(values<std::int8_t>("[-128,127]", DType::kInt8, Shape{2}), ElementsAre(-128, 127));
  EXPECT_THAT(values<std::uint16_t>("[65535]", DType::kUint16, Shape{1}), ElementsAre(65535));
  EXPECT_THAT(values<std::int16_t>("[-32768]", DType::kInt16, Shape{1}), ElementsAre(-32768));
  EXPECT_THAT(values<std::uint32_t>("[4294967295]", DType::kUint32, Shape{1}),
              ElementsAre(4294967295U));
  EXPECT_THAT(values<std::int32_t>("[-2147483648]", DType::kInt32, Shape{1}),
              ElementsAre(INT32_MIN));
  EXPECT_THAT(values<std::uint64_t>("[18446744073709551615, 0]", DType::kUint64, Shape{2}),
              ElementsAre(UINT64_MAX, 0U));
  EXPECT_THAT(values<std::int64_t>("[9007199254740993]", DType::kInt64, Shape{1}),
              ElementsAre(9007199254740993));
  EXPECT_THAT(values<double>("[0.1,-1e308,5e-324,1e-999]", DType::kFloat64, Shape{4}),
              ElementsAre(0.1, -1e308, 5e-324, 0.0));
  EXPECT_TRUE(std::signbit(values<double>("[-1e-999]", DType::kFloat64, Shape{1})[0]));
  EXPECT_THAT(values<std::uint8_t>("[true,false]", DType::kBool, Shape{2}), ElementsAre(1, 0));
  EXPECT_THAT(values<std::string>(R"(["a","\u00e9",""])", DType::kBytes, Shape{3}),
              ElementsAre("a", "\xC3\xA9", ""));
}

TEST(TensorReader, values_beyond_the_dtype_are_a_range_problem) {
  for (const auto& [dtype, text] :
       std::vector<std::pair<DType, std::string>>{{DType::kUint8, "[1,300]"},
                                                  {DType::kUint8, "[1,-1]"},
                                                  {DType::kInt8, "[1,128]"},
                                                  {DType::kInt32, "[1,2147483648]"},
                                                  {DType::kUint32, "[1,4294967296]"},
                                                  {DType::kInt64, "[1,9223372036854775808]"},
                                                  {DType::kUint64, "[1,18446744073709551616]"},
                                                  {DType::kUint64, "[1,-1]"},
                                                  {DType::kFloat32, "[1,1e39]"},
                                                  {DType::kFloat64, "[1,1e999]"}}) {
    const TensorProblem problem = refused(text, dtype, Shape{2});
    EXPECT_EQ(problem.kind, Kind::kRange) << text;
    EXPECT_THAT(problem.message, HasSubstr("element 1")) << text;
  }
}

TEST(TensorReader, values_of_another_type_are_a_type_problem) {
  for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kUint8, DType::kUint64,
                            DType::kFloat64, DType::kBool, DType::kBytes}) {
    EXPECT_EQ(refused("[null,null]", dtype, Shape{2}).kind, Kind::kType);
    EXPECT_EQ(refused("[{},{}]", dtype, Shape{2}).kind, Kind::kType);
    EXPECT_EQ(refused("{\"a\":[1]}", dtype, Shape{1}).kind, Kind::kType);
    EXPECT_EQ(refused("\"text\"", dtype, Shape{1}).kind, Kind::kType);
  }
  EXPECT_EQ(refused("[1,true]", DType::kFloat32, Shape{2}).kind, Kind::kType);
  EXPECT_EQ(refused("[1,\"2\"]", DType::kFloat32, Shape{2}).kind, Kind::kType);
  EXPECT_EQ(refused("[2.5]", DType::kInt64, Shape{1}).kind, Kind::kType);
  EXPECT_EQ(refused("[1,2e0]", DType::kInt32, Shape{2}).kind, Kind::kType);
  EXPECT_EQ(refused("[2.5]", DType::kUint64, Shape{1}).kind, Kind::kType);
  EXPECT_EQ(refused("[1]", DType::kBool, Shape{1}).kind, Kind::kType);
}

void expect_shape_problems(DType dtype, bool flat) {
  for (const std::string_view text :
       {"[[1,2],[3]]", "[[1,2],[3,4,5]]", "[[1,2]]", "[[1,2],[3,4],[5,6]]", "[[1,2],3]", "[1]",
        "[[[1],[2]],[[3],[4]]]", "[]", "[[],[]]", "[1,2,3,4,5]", "[1,[2]]", "[[1,2],[3,[4]]]"}) {
    EXPECT_EQ(refused(text, dtype, Shape{2, 2}, flat).kind, Kind::kShape) << text;
  }
}

TEST(TensorReader, ragged_short_and_long_arrays_are_a_shape_problem) {
  for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kInt16, DType::kUint64}) {
    expect_shape_problems(dtype, false);
    expect_shape_problems(dtype, true);
  }
}

TEST(TensorReader, malformed_json_throws_whatever_else_is_wrong) {
  Tensor tensor;
  for (const std::string_view text :
       {"[1,2", "[1,]", "[1 2]", "[01,2]", "[+1,2]", "[.5,1]", "[NaN,1]", "[1,2]]", "[true,nul]",
        "[1,2,3,x]", "[[1],2", "[1e999,]", "[\"\xFF\",1]", "[1,,2]", "[1;2]", "", "[Infinity]"}) {
    for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kInt8, DType::kUint64,
                              DType::kFloat64, DType::kBool, DType::kBytes}) {
      JsonReader json(text);
      EXPECT_THROW(
          {
            (void)read_tensor(json, {dtype, Shape{2}, true, kPlenty}, tensor);
            json.finish();
          },
          Error)
          << text << " as " << numpy_name(dtype);
    }
  }
}

TEST(TensorReader, long_runs_of_narrow_integers_are_read_in_pieces) {
  for (const std::size_t size : {255U, 256U, 257U, 512U, 513U, 1000U}) {
    std::string text = "[0";
    for (std::size_t i = 1; i < size; ++i) {
      text += " , " + std::to_string(i % 200);
    }
    const auto read =
        values<std::uint8_t>(text + "]", DType::kUint8, Shape{static_cast<std::int64_t>(size)});
    ASSERT_EQ(read.size(), size);
    EXPECT_EQ(read.back(), (size - 1) % 200);
    const Shape shorter{static_cast<std::int64_t>(size) - 1};
    EXPECT_EQ(refused(text + "]", DType::kUint8, shorter).kind, Kind::kShape);
    const Shape longer{static_cast<std::int64_t>(size) + 1};
    EXPECT_EQ(refused(text + "]", DType::kUint8, longer).kind, Kind::kShape);
    Tensor tensor;
    JsonReader json(text += ",]");
    EXPECT_THROW((void)read_tensor(json, {DType::kUint8, longer, true, kPlenty}, tensor), Error);
  }
}

TEST(TensorReader, a_shape_is_checked_before_memory_is_taken) {
  constexpr std::int64_t kBig = std::int64_t{1} << 32;
  for (const Shape& shape : {Shape{kBig, kBig}, Shape{-5}, Shape{INT64_MIN},
                             Shape{65536, 65536, 65536, 65536, 2}, Shape{kBig}, Shape{INT64_MAX}}) {
    EXPECT_EQ(refused("[1]", DType::kBytes, shape, true).kind, Kind::kShape);
    EXPECT_EQ(refused("[1]", DType::kFloat32, shape).kind, Kind::kShape);
  }
}

TEST(TensorReader, more_memory_than_allowed_is_a_size_problem) {
  Tensor tensor;
  const TensorForm form{DType::kFloat64, Shape{3}, true, 23};
  const auto problem = read("[1,2,3]", form, tensor);
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->kind, Kind::kSize);
  EXPECT_EQ(problem->message, "would take 24 bytes in memory, the limit is 23");
}

TEST(TensorReader, half_floats_have_no_json_form) {
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(has_json_form(dtype), dtype != DType::kFloat16 && dtype != DType::kBfloat16);
  }
}

}  // namespace
}  // namespace maas
