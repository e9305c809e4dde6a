// SPDX-License-Identifier: Apache-2.0
#include "maas/workers/tensor_codec.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "maas/base/checked.h"

namespace maas::wire {
namespace {

Error broken(const char* what) {
  return {ErrorCode::kInvalidArgument, std::string("a tensor in shared memory ") + what};
}

void write_strings(Writer& writer, std::span<const std::string> strings) noexcept {
  std::uint64_t end = 0;
  for (const std::string& text : strings) {
    end += text.size();
    writer.put(end);
  }
  for (const std::string& text : strings) {
    writer.bytes(text.data(), text.size());
  }
}

Result<Tensor> read_strings(const Shape& shape, std::size_t count, Memory data) {
  if (count > data.size() / sizeof(std::uint64_t)) {
    return broken("has more strings than bytes for their ends");
  }
  const Memory text = data.subspan(count * sizeof(std::uint64_t));
  std::vector<std::string> strings(count);
  std::uint64_t start = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t end = 0;
    std::memcpy(&end, data.data() + i * sizeof(end), sizeof(end));
    if (end < start || end > text.size()) {
      return broken("has a string that ends outside");
    }
    strings[i].assign(reinterpret_cast<const char*>(text.data()) + start, end - start);
    start = end;
  }
  return Tensor::from_strings(std::move(strings), shape);
}

}  // namespace

bool Reader::fits(std::size_t count, std::size_t size) const noexcept {
  return count <= (memory_.size() - offset_) / size;
}

std::byte* Reader::take(std::size_t count, std::size_t size) noexcept {
  if (!fits(count, size)) {
    return nullptr;
  }
  std::byte* place = memory_.data() + offset_;
  offset_ += count * size;
  return place;
}

std::optional<Memory> part_of(Memory memory, std::uint64_t offset, std::uint64_t length) noexcept {
  if (offset > memory.size() || length > memory.size() - offset) {
    return std::nullopt;
  }
  return memory.subspan(offset, length);
}

TensorHeader write_tensor(Writer& writer, const Tensor& tensor) noexcept {
  TensorHeader header;
  header.dtype = static_cast<std::uint8_t>(tensor.dtype());
  header.rank = static_cast<std::uint8_t>(tensor.shape().rank());
  header.absent = tensor.is_absent() ? 1 : 0;
  std::copy(tensor.shape().dims().begin(), tensor.shape().dims().end(), std::begin(header.dims));
  writer.align();
  header.offset = writer.offset();
  if (header.absent == 0) {
    if (tensor.dtype() == DType::kBytes) {
      write_strings(writer, tensor.strings());
    } else {
      writer.bytes(tensor.data(), tensor.byte_size());
    }
  }
  header.length = writer.offset() - header.offset;
  return header;
}

Result<Tensor> read_tensor(const TensorHeader& header,
                           Memory memory,
                           const std::shared_ptr<void>& owner) {
  if (header.absent != 0) {
    return Tensor();
  }
  if (header.dtype >= kDTypes || header.rank > Shape::kMaxRank) {
    return broken("has no dtype or too many dimensions");
  }
  const auto dtype = static_cast<DType>(header.dtype);
  const Shape shape(std::span<const std::int64_t>(header.dims, header.rank));
  const auto elements = shape.elements();
  const auto data = part_of(memory, header.offset, header.length);
  if (!elements || !data || header.offset % kAlignment != 0) {
    return broken("lies outside, or has impossible dimensions");
  }
  if (dtype == DType::kBytes) {
    return read_strings(shape, static_cast<std::size_t>(*elements), *data);
  }
  const auto size = checked_multiply(*elements, static_cast<std::int64_t>(dtype_size(dtype)));
  if (!size || static_cast<std::uint64_t>(*size) != data->size()) {
    return broken("has another length than its shape");
  }
  if (owner != nullptr && !data->empty()) {
    return Tensor::borrow(dtype, shape, data->data(), owner);
  }
  Tensor tensor = Tensor::allocate(dtype, shape);
  if (!data->empty()) {
    std::memcpy(tensor.mutable_data(), data->data(), data->size());
  }
  return tensor;
}

}  // namespace maas::wire
