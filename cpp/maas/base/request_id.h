// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maas {

// Names one request in answers and logs. The client's own where it sends one that is fit to be
// written anywhere; else made by the server: 16 hex digits, unique in the process and not guessable
// from another one's. A value; cheap to copy.
class RequestId {
 public:
  static constexpr std::size_t kMaxSize = 64;

  RequestId() = default;  // the empty id
  static RequestId next() noexcept;
  // A client's: 1 to 64 letters, digits and "-_.:/+=@~"; the empty id for anything else.
  static RequestId accepted(std::string_view text) noexcept;
  // One that another process knows; cut off at the greatest length.
  static RequestId from(std::string_view text) noexcept;

  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxSize> text_{};
  std::uint8_t size_ = 0;
};

}  // namespace maas
