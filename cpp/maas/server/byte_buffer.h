// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace maas {

// Bytes that are received into it without being set to zero before, as a std::string would do.
// Owned by one thread.
class ByteBuffer {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_.get(), size_}; }

  // Room behind what is held; add() says how much of it was filled.
  [[nodiscard]] std::span<char> room() noexcept { return {data_.get() + size_, capacity_ - size_}; }
  void add(std::size_t n) noexcept { size_ += n; }

  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) {
      return;
    }
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    std::copy_n(data_.get(), size_, grown.get());
    data_ = std::move(grown);
    capacity_ = capacity;
  }
  void append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) {
      reserve(std::max(size_ + bytes.size(), 2 * capacity_));
    }
    std::copy_n(bytes.data(), bytes.size(), data_.get() + size_);
    size_ += bytes.size();
  }
  // Removes the first `n` bytes.
  void drop_front(std::size_t n) noexcept {
    std::memmove(data_.get(), data_.get() + n, size_ - n);
    size_ -= n;
  }
  // Empties it; memory beyond `keep` bytes is given back.
  void clear(std::size_t keep) noexcept {
    size_ = 0;
    if (capacity_ > keep) {
      data_.reset();
      capacity_ = 0;
    }
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace maas
