// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

#include "maas/base/result.h"
#include "maas/tensor/tensor.h"
#include "maas/workers/wire.h"

namespace maas::wire {

using Memory = std::span<std::byte>;

// Writes one thing after the other; without memory it only counts.
class Writer {
 public:
  Writer() = default;
  explicit Writer(Memory memory) noexcept : memory_(memory) {}

  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  void align() noexcept { offset_ = (offset_ + kAlignment - 1) / kAlignment * kAlignment; }
  // REQUIRES: the memory is as large as a count of the same things said
  void bytes(const void* data, std::size_t size) noexcept {
    if (!memory_.empty() && size > 0) {
      std::memcpy(memory_.data() + offset_, data, size);
    }
    offset_ += size;
  }
  template <typename T>
  void put(const T& value) noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes(&value, sizeof(T));
  }
  // Where the next `size` bytes are, left for later; null while it only counts.
  std::byte* reserve(std::size_t size) noexcept {
    std::byte* place = memory_.empty() ? nullptr : memory_.data() + offset_;
    offset_ += size;
    return place;
  }

 private:
  Memory memory_;
  std::size_t offset_ = 0;
};

// Copies one struct after the other out of memory that another process may change meanwhile.
class Reader {
 public:
  explicit Reader(Memory memory) noexcept : memory_(memory) {}

  template <typename T>
  std::optional<T> get() noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    const std::byte* place = take(1, sizeof(T));
    if (place == nullptr) {
      return std::nullopt;
    }
    std::memcpy(&value, place, sizeof(T));
    return value;
  }
  // Where `count` things of `size` bytes are that come next; null when they do not fit.
  std::byte* take(std::size_t count, std::size_t size) noexcept;
  // Whether so many of them would fit: before a vector is made for them.
  [[nodiscard]] bool fits(std::size_t count, std::size_t size) const noexcept;

 private:
  Memory memory_;
  std::size_t offset_ = 0;
};

// The data of a tensor, aligned; the header says where it lies.
TensorHeader write_tensor(Writer& writer, const Tensor& tensor) noexcept;

// With an owner the tensor borrows the memory that the owner keeps, else it is a copy. Strings are
// always copied.
Result<Tensor> read_tensor(const TensorHeader& header,
                           Memory memory,
                           const std::shared_ptr<void>& owner);

// The `length` bytes at `offset`; nothing when they are not all inside.
std::optional<Memory> part_of(Memory memory, std::uint64_t offset, std::uint64_t length) noexcept;

}  // namespace maas::wire
