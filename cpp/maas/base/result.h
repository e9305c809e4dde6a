// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <variant>

#include "maas/base/error.h"

namespace maas {

// A value or the Error why there is none. std::expected in the shape that GCC 12 can compile.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // REQUIRES: ok()
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  // REQUIRES: !ok()
  [[nodiscard]] const Error& error() const noexcept { return *std::get_if<1>(&state_); }

  // The value, or the Error thrown: for callers that cannot go on without it.
  T value() && {
    if (!ok()) {
      throw error();
    }
    return std::move(**this);
  }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error.
using Status = Result<std::monostate>;
inline Status ok_status() {
  return std::monostate{};
}

}  // namespace maas
