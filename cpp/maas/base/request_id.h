// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace maas {

// Names one request in answers and logs. Made by the server: 16 hex digits, unique in the process
// and not guessable from another one's. A value; cheap to copy.
class RequestId {
 public:
  RequestId() = default;  // the empty id
  static RequestId next() noexcept;
  // One that another process made; cut off at the length that ours have.
  static RequestId from(std::string_view text) noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 16> text_{};
  std::uint8_t size_ = 0;
};

}  // namespace maas
