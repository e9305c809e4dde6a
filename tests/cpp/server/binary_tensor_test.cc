// SPDX-License-Identifier: Apache-2.0
#include "maas/server/binary_tensor.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;
using Kind = TensorProblem::Kind;

struct Read {
  std::optional<TensorProblem> problem;
  Tensor tensor;
};

Read read(DType dtype,
          const Shape& shape,
          std::string_view bytes,
          const std::shared_ptr<void>& memory = nullptr) {
  Read out;
  out.problem = read_binary_tensor({dtype, shape, true, 1000}, bytes, memory, out.tensor);
  return out;
}

TEST(BinaryTensor, every_fixed_dtype_is_read_and_written_bit_by_bit) {
  for (const DType dtype : {DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64,
                            DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64,
                            DType::kFloat16, DType::kBfloat16, DType::kFloat32, DType::kFloat64}) {
    std::string bytes;
    for (std::size_t i = 0; i < 3 * dtype_size(dtype); ++i) {
      bytes += static_cast<char>(i * 37 + 0x7F);
    }
    const Read got = read(dtype, {3}, bytes);
    ASSERT_FALSE(got.problem);
    const Tensor wire = binary_form(got.tensor);
    EXPECT_EQ(std::string_view(static_cast<const char*>(wire.data()), wire.byte_size()), bytes);
  }
}

TEST(BinaryTensor, memory_that_is_kept_and_aligned_is_not_copied) {
  const auto memory = std::make_shared<std::array<std::uint64_t, 4>>();
  const char* const start = reinterpret_cast<const char*>(memory->data());
  const Read there = read(DType::kFloat32, {2}, {start + 4, 8}, memory);
  EXPECT_EQ(there.tensor.data(), start + 4);
  EXPECT_EQ(memory.use_count(), 2);
  const Read copied = read(DType::kFloat32, {2}, {start + 2, 8}, memory);
  EXPECT_NE(copied.tensor.data(), start + 2);
  EXPECT_NE(read(DType::kFloat32, {2}, {start, 8}).tensor.data(), start);
}

TEST(BinaryTensor, strings_stand_behind_their_lengths) {
  const std::string bytes("\2\0\0\0ab\0\0\0\0\1\0\0\0\xFF", 15);
  const Read got = read(DType::kBytes, {3}, bytes);
  ASSERT_FALSE(got.problem);
  EXPECT_THAT(got.tensor.strings(), ElementsAre("ab", "", "\xFF"));
  const Tensor wire = binary_form(got.tensor);
  EXPECT_EQ(std::string_view(static_cast<const char*>(wire.data()), wire.byte_size()), bytes);
}

TEST(BinaryTensor, a_string_whose_length_does_not_fit_is_refused) {
  for (const std::string& bytes :
       {std::string("\5\0\0\0ab", 6), std::string("\xFF\xFF\xFF\xFF", 4), std::string("\0\0\0", 3),
        std::string("\1\0\0\0abc", 7), std::string()}) {
    EXPECT_EQ(read(DType::kBytes, {1}, bytes).problem.value().kind, Kind::kShape);
  }
  const std::string many(400, '\0');  // 100 strings would take 3,200 bytes
  EXPECT_EQ(read(DType::kBytes, {100}, many).problem.value().kind, Kind::kSize);
}

TEST(BinaryTensor, wrong_numbers_of_bytes_are_refused_without_allocating) {
  for (const Shape& shape : {Shape{3}, Shape{1}, Shape{0}, Shape{std::int64_t{1} << 62, 4},
                             Shape{65536, 65536, 65536, 65536, 2}, Shape{-1}}) {
    EXPECT_TRUE(read(DType::kFloat32, shape, std::string(8, 'x')).problem) << shape.to_string();
  }
}

TEST(BinaryTensor, no_elements_are_a_tensor_too) {
  const Read got = read(DType::kFloat32, {2, 0}, "");
  EXPECT_FALSE(got.problem);
  EXPECT_FALSE(got.tensor.is_absent());
  EXPECT_EQ(binary_form(got.tensor).byte_size(), 0U);
  EXPECT_EQ(binary_form(read(DType::kBytes, {0}, "").tensor).byte_size(), 0U);
}

TEST(BinaryTensor, a_bool_is_zero_or_one) {
  EXPECT_FALSE(read(DType::kBool, {2}, std::string("\0\1", 2)).problem);
  EXPECT_EQ(read(DType::kBool, {2}, std::string("\0\2", 2)).problem.value().kind, Kind::kRange);
}

}  // namespace
}  // namespace maas
