// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maas {

enum class JsonType : std::uint8_t { kObject, kArray, kString, kNumber, kBool, kNull };

// Walks through a JSON text without building anything: strict RFC 8259, UTF-8 checked, at most
// kMaxDepth containers deep. What it is asked for must come next; anything else, and any error of
// syntax, throws invalid_argument with the offset. Repeated keys are for the caller to notice.
// A value on the stack of one thread; the text must outlive it.
class JsonReader {
 public:
  static constexpr std::size_t kMaxDepth = 100;

  explicit JsonReader(std::string_view text) noexcept
      : begin_(text.data()), end_(text.data() + text.size()), at_(begin_) {}

  // Of the value that comes next.
  JsonType type();
  // The next character that is no white space; '\0' at the end.
  char peek() noexcept;

  // An object is begin_object(), then next_key() until there is none, each key followed by reading
  // its value. An array likewise with begin_array() and next_item().
  void begin_object();
  std::optional<std::string_view> next_key();  // valid until the next key or string
  void begin_array();
  bool next_item();

  std::string_view string();  // valid until the next key or string
  bool boolean();
  // Nothing when the number is no integer or does not fit; it is skipped then.
  std::optional<std::int64_t> integer();
  // The text of a number, in JSON grammar.
  std::string_view number();
  // The text of any value, checked.
  std::string_view skip();
  // Throws unless only white space is left.
  void finish();

  // What is left, for a parser of runs of numbers, and where in an array that parser stopped.
  [[nodiscard]] std::string_view rest() const noexcept {
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }
  void resume(const char* stop) noexcept {
    at_ = stop;
    first_ = false;
  }

  // A place to come back to.
  struct Mark {
    const char* at;
    std::size_t depth;
    bool first;
  };
  [[nodiscard]] Mark mark() const noexcept { return {at_, depth_, first_}; }
  void rewind(const Mark& mark) noexcept {
    at_ = mark.at;
    depth_ = mark.depth;
    first_ = mark.first;
  }

 private:
  struct RawString {
    std::string_view text;  // between the quotes
    bool escaped;
  };

  [[noreturn]] void fail(std::string_view problem) const;
  void skip_space() noexcept;
  [[nodiscard]] bool next_is(char c) const noexcept { return at_ != end_ && *at_ == c; }
  void open(char bracket, std::string_view problem);
  bool next_member(char bracket, std::string_view problem);
  void literal(std::string_view word);
  void digits();
  void skip_scalar();
  RawString raw_string();
  void check_escape();
  char32_t hex4();
  std::string_view decode(std::string_view raw);

  const char* begin_;
  const char* end_;
  const char* at_;
  std::size_t depth_ = 0;
  bool first_ = true;  // nothing was read yet of the container that was begun last
  std::string decoded_;
};

}  // namespace maas
