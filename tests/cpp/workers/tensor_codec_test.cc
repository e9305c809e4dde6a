// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/tensor_codec.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas::wire {
namespace {

using ::testing::ElementsAre;

// A tensor that was written, and may be spoilt.
class Written {
 public:
  explicit Written(const Tensor& tensor) {
    Writer count;
    count.bytes(nullptr, 3);  // so that the data must be moved to be aligned
    write_tensor(count, tensor);
    bytes_ = std::vector<std::byte>(count.offset() + 1);
    Writer writer{Memory(bytes_)};
    writer.put(std::uint8_t{0});
    header = write_tensor(writer, tensor);
  }
  [[nodiscard]] Result<Tensor> read(const std::shared_ptr<void>& owner = nullptr) {
    return read_tensor(header, bytes_, owner);
  }
  [[nodiscard]] Memory memory() { return bytes_; }

  TensorHeader header;

 private:
  std::vector<std::byte> bytes_;
};

Tensor numbers() {
  Tensor tensor = Tensor::allocate(DType::kInt32, {2, 3});
  for (int i = 0; i < 6; ++i) {
    tensor.mutable_values<std::int32_t>()[static_cast<std::size_t>(i)] = i;
  }
  return tensor;
}

TEST(TensorCodec, a_tensor_comes_back_as_it_was) {
  Written written(numbers());
  const auto tensor = written.read();
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->dtype(), DType::kInt32);
  EXPECT_EQ(tensor->shape(), (Shape{2, 3}));
  EXPECT_THAT(tensor->values<std::int32_t>(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TensorCodec, with_an_owner_it_is_the_same_memory_and_aligned) {
  Written written(numbers());
  const auto owner = std::make_shared<int>(0);
  const auto tensor = written.read(owner);
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->data(), written.memory().data() + written.header.offset);
  EXPECT_EQ(written.header.offset % kAlignment, 0U);
  EXPECT_EQ(owner.use_count(), 2);
}

TEST(TensorCodec, strings_come_back_empty_ones_and_nuls_included) {
  Written written(Tensor::from_strings({"", std::string("a\0b", 3), "c"}, {3}));
  const auto tensor = written.read();
  ASSERT_TRUE(tensor);
  EXPECT_THAT(tensor->strings(), ElementsAre("", std::string("a\0b", 3), "c"));
}

TEST(TensorCodec, so_do_tensors_of_nothing_and_absent_ones) {
  Written none(Tensor::allocate(DType::kFloat64, {0, 4}));
  EXPECT_EQ(none.read()->shape(), (Shape{0, 4}));
  EXPECT_FALSE(none.read(std::make_shared<int>(0))->is_absent());
  Written no_strings(Tensor::from_strings({}, {0}));
  EXPECT_EQ(no_strings.read()->elements(), 0U);
  Written scalar(Tensor::zeros(DType::kUint8, {}));
  EXPECT_EQ(scalar.read()->shape().rank(), 0U);
  EXPECT_TRUE(Written(Tensor()).read()->is_absent());
}

TEST(TensorCodec, no_header_makes_it_look_outside) {
  const auto refused = [](auto spoil) {
    Written written(numbers());
    spoil(written.header);
    return !written.read().ok();
  };
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(refused([](auto& header) { header.dtype = 14; }));
  EXPECT_TRUE(refused([](auto& header) { header.rank = 9; }));
  EXPECT_TRUE(refused([](auto& header) { header.dims[0] = -1; }));
  EXPECT_TRUE(refused([](auto& header) { header.dims[0] = 3; }));
  EXPECT_TRUE(refused([](auto& header) { header.dims[0] = std::int64_t{1} << 62U; }));
  EXPECT_TRUE(refused([](auto& header) { header.offset += kAlignment; }));
  EXPECT_TRUE(refused([](auto& header) { header.offset += 1; }));
  EXPECT_TRUE(refused([](auto& header) { header.offset = kHuge; }));
  EXPECT_TRUE(refused([](auto& header) { header.length = kHuge; }));
  EXPECT_TRUE(refused([](auto& header) { header.length -= 4; }));
}

TEST(TensorCodec, no_end_of_a_string_makes_it_look_outside) {
  const auto refused = [](std::size_t index, std::uint64_t end) {
    Written written(Tensor::from_strings({"one", "two"}, {2}));
    std::memcpy(written.memory().data() + written.header.offset + index * sizeof(end), &end,
                sizeof(end));
    return !written.read().ok();
  };
  EXPECT_FALSE(refused(0, 3));
  EXPECT_TRUE(refused(0, 7));
  EXPECT_TRUE(refused(1, 2));
  EXPECT_TRUE(refused(1, 7));
  EXPECT_TRUE(refused(1, std::numeric_limits<std::uint64_t>::max()));
}

TEST(TensorCodec, more_strings_than_bytes_are_refused_before_they_are_made) {
  Written written(Tensor::from_strings({"one", "two"}, {2}));
  written.header.dims[0] = std::int64_t{1} << 40U;
  EXPECT_FALSE(written.read());
}

TEST(TensorCodec, a_reader_gives_nothing_beyond_its_memory) {
  std::vector<std::byte> bytes(12);
  Reader reader(bytes);
  EXPECT_TRUE(reader.get<std::uint64_t>());
  EXPECT_FALSE(reader.get<std::uint64_t>());
  EXPECT_TRUE(reader.fits(1, 4));
  EXPECT_FALSE(reader.fits(2, 4));
  EXPECT_FALSE(reader.fits(std::numeric_limits<std::size_t>::max(), 8));
  EXPECT_EQ(reader.take(5, 1), nullptr);
  EXPECT_NE(reader.take(4, 1), nullptr);
}

}  // namespace
}  // namespace maas::wire
