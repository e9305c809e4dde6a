// SPDX-License-Identifier: Apache-2.0
#include "maas/server/shape_scan.h"

#include <algorithm>
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

  // Inside one of the innermost arrays of `rank` dimensions, but not the first.
  [[nodiscard]] bool in_counted_run(std::size_t rank) const noexcept {
    return depth_ == rank && !counts();
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

// The closing quote of the string that begins at `at`, or the end.
std::size_t end_of_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1 : 0;
  }
  return at;
}

// The last character of the number or word at `at`. All that counts is below or at ',' or a
// bracket.
std::size_t end_of_plain(std::string_view text, std::size_t at) noexcept {
  const auto is_plain = [](char c) { return c > ',' && c != '[' && c != ']'; };
  while (is_plain(text[at]) && at + 1 < text.size() && is_plain(text[at + 1])) {
    ++at;
  }
  return at;
}

}  // namespace

Shape scan_shape(std::string_view text, const Shape& declared) noexcept {
  Counter counter;
  bool strings = false;
  for (std::size_t at = 0; at < text.size() && counter.take(text[at]); ++at) {
    strings = strings || text[at] == '"';
    if (!strings && counter.in_counted_run(declared.rank())) {
      at = std::min(text.find(']', at + 1), text.size()) - 1;
    } else {
      at = text[at] == '"' ? end_of_string(text, at) : end_of_plain(text, at);
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
