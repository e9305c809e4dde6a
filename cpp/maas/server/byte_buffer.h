// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace maas {

// Bytes that are received into it without being set to zero before, as a std::string would do. They
// may be lent to others for longer than it holds them. Owned by one thread.
class ByteBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;  // that of a tensor's memory

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }

  // Room behind what is held; add() says how much of it was filled.
  [[nodiscard]] std::span<char> room() noexcept { return {data_ + size_, capacity_ - size_}; }
  void add(std::size_t n) noexcept { size_ += n; }

  // From here on the byte with this number stands at a multiple of kAlignment.
  // REQUIRES: it is empty
  void align(std::size_t number) noexcept {
    const std::size_t lead = (kAlignment - number % kAlignment) % kAlignment;
    if (lead != lead_) {
      drop();
      lead_ = lead;
    }
  }
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) {
      return;
    }
    std::shared_ptr<char> grown = allocate(lead_ + capacity);
    std::copy_n(data_, size_, grown.get() + lead_);
    memory_ = std::move(grown);
    data_ = memory_.get() + lead_;
    capacity_ = capacity;
    lent_ = false;
  }
  void append(std::string_view bytes) {
    if (bytes.size() > capacity_ - size_) {
      reserve(std::max(size_ + bytes.size(), 2 * capacity_));
    }
    std::copy_n(bytes.data(), bytes.size(), data_ + size_);
    size_ += bytes.size();
  }
  // What keeps the bytes where they are, unchanged, for as long as somebody has it.
  [[nodiscard]] std::shared_ptr<void> lend() noexcept {
    lent_ = true;
    return memory_;
  }
  // Empties it; memory beyond `keep` bytes is given back, and memory that was lent is left to those
  // who have it.
  void clear(std::size_t keep) noexcept {
    size_ = 0;
    if (capacity_ > keep || lent_) {
      drop();
    }
  }

 private:
  void drop() noexcept {
    memory_.reset();
    data_ = nullptr;
    capacity_ = 0;
    lent_ = false;
  }
  static std::shared_ptr<char> allocate(std::size_t size) {
    constexpr std::align_val_t kAlign{kAlignment};
    return {static_cast<char*>(::operator new(size, kAlign)),
            [](char* memory) { ::operator delete(memory, kAlign); }};
  }

  std::shared_ptr<char> memory_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t lead_ = 0;
  bool lent_ = false;
};

}  // namespace maas
