// SPDX-License-Identifier: Apache-2.0
#include "maas/server/tensor_writer.h"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "maas/server/json_reader.h"

namespace maas {
namespace {

template <typename T>
Tensor tensor_of(DType dtype, std::initializer_list<T> values) {
  Tensor tensor = Tensor::allocate(dtype, Shape{static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.mutable_values<T>().begin());
  return tensor;
}

std::string flat(const Tensor& tensor) {
  std::string out;
  EXPECT_EQ(append_values(out, tensor, 0, tensor.elements()), WriteFault::kNone);
  return out;
}

WriteFault fault_of(const Tensor& tensor) {
  std::string out;
  return append_values(out, tensor, 0, tensor.elements());
}

TEST(TensorWriter, every_dtype_is_written) {
  EXPECT_EQ(flat(tensor_of<std::uint8_t>(DType::kBool, {1, 0})), "true,false");
  EXPECT_EQ(flat(tensor_of<std::uint8_t>(DType::kUint8, {0, 255})), "0,255");
  EXPECT_EQ(flat(tensor_of<std::uint16_t>(DType::kUint16, {65535})), "65535");
  EXPECT_EQ(flat(tensor_of<std::uint32_t>(DType::kUint32, {4294967295U})), "4294967295");
  EXPECT_EQ(flat(tensor_of<std::uint64_t>(DType::kUint64, {UINT64_MAX, 0})),
            "18446744073709551615,0");
  EXPECT_EQ(flat(tensor_of<std::int8_t>(DType::kInt8, {-128})), "-128");
  EXPECT_EQ(flat(tensor_of<std::int16_t>(DType::kInt16, {-32768})), "-32768");
  EXPECT_EQ(flat(tensor_of<std::int32_t>(DType::kInt32, {INT32_MIN, 7})), "-2147483648,7");
  EXPECT_EQ(flat(tensor_of<std::int64_t>(DType::kInt64, {INT64_MIN, 7})), "-9223372036854775808,7");
  EXPECT_EQ(flat(tensor_of<float>(DType::kFloat32, {0.1F, -2.0F})), "0.1,-2.0");
  EXPECT_EQ(flat(tensor_of<double>(DType::kFloat64, {0.1, 3.0, 1e300})), "0.1,3.0,1e+300");
  EXPECT_EQ(flat(Tensor::from_strings({"a", "\"\n", ""}, Shape{3})), R"("a","\"\n","")");
}

TEST(TensorWriter, what_json_cannot_express_is_a_fault) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    EXPECT_EQ(fault_of(tensor_of<float>(DType::kFloat32, {1.0F, bad})), WriteFault::kNotFinite);
    EXPECT_EQ(fault_of(tensor_of<double>(DType::kFloat64, {1.0, bad})), WriteFault::kNotFinite);
  }
  EXPECT_EQ(fault_of(Tensor::from_strings({"\xFF"}, Shape{1})), WriteFault::kNotUtf8);
  EXPECT_EQ(fault_of(Tensor::zeros(DType::kFloat16, Shape{1})), WriteFault::kNoForm);
  EXPECT_EQ(fault_of(Tensor::zeros(DType::kBfloat16, Shape{1})), WriteFault::kNoForm);
}

TEST(TensorWriter, every_fault_is_explained) {
  EXPECT_EQ(explain(WriteFault::kNone), "");
  for (const WriteFault fault :
       {WriteFault::kNotFinite, WriteFault::kNotUtf8, WriteFault::kNoForm}) {
    EXPECT_NE(explain(fault), "");
  }
}

TEST(TensorWriter, nested_arrays_follow_the_shape) {
  Tensor tensor = Tensor::allocate(DType::kInt64, Shape{6});
  std::iota(tensor.mutable_values<std::int64_t>().begin(),
            tensor.mutable_values<std::int64_t>().end(), 1);
  const auto nested = [&](const Tensor& of, const Shape& shape) {
    std::string out;
    EXPECT_EQ(append_nested(out, of, shape), WriteFault::kNone);
    return out;
  };
  EXPECT_EQ(nested(tensor, Shape{6}), "[1,2,3,4,5,6]");
  EXPECT_EQ(nested(tensor, Shape{2, 3}), "[[1,2,3],[4,5,6]]");
  EXPECT_EQ(nested(tensor, Shape({3, 1, 2})), "[[[1,2]],[[3,4]],[[5,6]]]");
  EXPECT_EQ(nested(Tensor::zeros(DType::kInt64, Shape{2, 0}), Shape{2, 0}), "[[],[]]");
  EXPECT_EQ(nested(Tensor::zeros(DType::kFloat32, Shape{1}), Shape{}), "0.0");
}

std::int64_t count_numbers(const std::string& text) {
  JsonReader json(text);
  json.begin_array();
  std::int64_t count = 0;
  for (; json.next_item(); ++count) {
    json.number();
  }
  return count;
}

TEST(TensorWriter, long_tensors_are_written_in_pieces) {
  for (const std::int64_t size : {511, 512, 513, 1024, 5000}) {
    for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kInt16, DType::kUint64}) {
      const std::string text = "[" + flat(Tensor::zeros(dtype, Shape{size})) + "]";
      EXPECT_EQ(count_numbers(text), size) << numpy_name(dtype);
    }
  }
}

}  // namespace
}  // namespace maas
