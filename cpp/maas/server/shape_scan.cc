// SPDX-License-Identifier: Apache-2.0
#include "maas/server/shape_scan.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace maas {
namespace {

// The elements of the first array at each depth.
class Counter {
 public:
  // Takes one character outside strings; false behind the last bracket.
  bool take(char c) noexcept {
    switch (c) {
      case ' ':
      case '\n':
      case '\r':
      case '\t': break;
      case '[':
        mark();
        ++depth_;
        break;
      case ']':
        close();
        depth_ -= depth_ > 0 ? 1 : 0;
        return depth_ > 0;
      case ',':
        if (counts()) {
          ++commas_[depth_ - 1];
        }
        break;
      default: mark(); break;
    }
    return depth_ > 0 || c <= ' ';
  }

  [[nodiscard]] std::int64_t size(std::size_t axis) const noexcept {
    return filled_[axis] ? commas_[axis] + 1 : 0;
  }

 private:
  [[nodiscard]] bool counts() const noexcept {
    return depth_ > 0 && depth_ <= Shape::kMaxRank && !closed_[depth_ - 1];
  }
  void mark() noexcept {
    if (counts()) {
      filled_[depth_ - 1] = true;
    }
  }
  void close() noexcept {
    if (counts()) {
      closed_[depth_ - 1] = true;
    }
  }

  std::size_t depth_ = 0;
  std::array<std::int64_t, Shape::kMaxRank> commas_{};
  std::array<bool, Shape::kMaxRank> filled_{};
  std::array<bool, Shape::kMaxRank> closed_{};
};

// Behind the string whose quote stands at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1 : 0;
  }
  return at;
}

}  // namespace

Shape scan_shape(std::string_view text, const Shape& declared) noexcept {
  Counter counter;
  for (std::size_t at = 0; at < text.size() && counter.take(text[at]); ++at) {
    if (text[at] == '"') {
      at = skip_string(text, at);
    }
  }
  Shape shape = declared;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == -1) {
      shape.set(axis, counter.size(axis));
    }
  }
  return shape;
}

}  // namespace maas
