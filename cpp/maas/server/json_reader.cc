// SPDX-License-Identifier: Apache-2.0
#include "maas/server/json_reader.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cstring>

#include "maas/base/error.h"
#include "maas/server/utf8.h"

namespace maas {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// True when all eight bytes are ordinary in a string: ASCII, no control, no quote, no backslash.
bool are_plain(const char* text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof(word));
  const std::uint64_t quotes = word ^ (kOnes * '"');
  const std::uint64_t escapes = word ^ (kOnes * '\\');
  const std::uint64_t odd = (word - kOnes * 0x20) | (quotes - kOnes) | (escapes - kOnes) | word;
  return (odd & kHighs) == 0;
}

// REQUIRES: four hexadecimal digits
char32_t code_unit(const char* text) noexcept {
  std::uint32_t value = 0;
  std::from_chars(text, text + 4, value, 16);
  return value;
}

char plain_escape(char c) noexcept {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

}  // namespace

void JsonReader::fail(std::string_view problem) const {
  throw Error(ErrorCode::kInvalidArgument, "the body is not valid JSON: " + std::string(problem) +
                                               " at offset " + std::to_string(at_ - begin_));
}

void JsonReader::skip_space() noexcept {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
    ++at_;
  }
}

char JsonReader::peek() noexcept {
  skip_space();
  return at_ == end_ ? '\0' : *at_;
}

JsonType JsonReader::type() {
  skip_space();
  if (at_ == end_) {
    fail("it ends where a value should be");
  }
  switch (*at_) {
    case '{': return JsonType::kObject;
    case '[': return JsonType::kArray;
    case '"': return JsonType::kString;
    case 't':
    case 'f': return JsonType::kBool;
    case 'n': return JsonType::kNull;
    default: break;
  }
  if (*at_ != '-' && !is_digit(*at_)) {
    fail("no value begins like this");
  }
  return JsonType::kNumber;
}

void JsonReader::open(char bracket, std::string_view problem) {
  skip_space();
  if (!next_is(bracket)) {
    fail(problem);
  }
  if (depth_ == kMaxDepth) {
    fail("more than 100 levels of nesting");
  }
  ++at_;
  ++depth_;
  first_ = true;
}

// Whether another member comes before the closing bracket, which ends the container.
bool JsonReader::next_member(char bracket, std::string_view problem) {
  skip_space();
  if (next_is(bracket)) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  if (!first_) {
    if (!next_is(',')) {
      fail(problem);
    }
    ++at_;
    skip_space();
  }
  first_ = false;
  return true;
}

void JsonReader::begin_object() {
  open('{', "an object is wanted");
}

std::optional<std::string_view> JsonReader::next_key() {
  if (!next_member('}', "',' or '}' is missing")) {
    return std::nullopt;
  }
  if (!next_is('"')) {
    fail("a key in double quotes is wanted");
  }
  const std::string_view key = string();
  skip_space();
  if (!next_is(':')) {
    fail("':' is missing");
  }
  ++at_;
  return key;
}

void JsonReader::begin_array() {
  open('[', "an array is wanted");
}

bool JsonReader::next_item() {
  return next_member(']', "',' or ']' is missing");
}

std::string_view JsonReader::string() {
  skip_space();
  if (!next_is('"')) {
    fail("a string is wanted");
  }
  const RawString raw = raw_string();
  return raw.escaped ? decode(raw.text) : raw.text;
}

// REQUIRES: a quote comes next
JsonReader::RawString JsonReader::raw_string() {
  const char* first = ++at_;
  bool escaped = false;
  while (true) {
    while (end_ - at_ >= 8 && are_plain(at_)) {
      at_ += 8;
    }
    if (at_ == end_) {
      fail("a string does not end");
    }
    if (*at_ == '"') {
      ++at_;
      return {{first, static_cast<std::size_t>(at_ - 1 - first)}, escaped};
    }
    if (*at_ == '\\') {
      escaped = true;
      check_escape();
      continue;
    }
    if (static_cast<unsigned char>(*at_) < 0x20) {
      fail("a control character in a string must be escaped");
    }
    const std::size_t size = utf8_sequence(rest());
    if (size == 0) {
      fail("a string is not UTF-8");
    }
    at_ += size;
  }
}

void JsonReader::check_escape() {
  ++at_;
  if (at_ == end_ || std::strchr("\"\\/bfnrtu", *at_) == nullptr || *at_ == '\0') {
    fail("an unknown escape");
  }
  if (*at_++ != 'u') {
    return;
  }
  const char32_t unit = hex4();
  if (unit < 0xD800 || unit > 0xDFFF) {
    return;
  }
  if (unit > 0xDBFF || !rest().starts_with("\\u")) {
    fail("half of a surrogate pair");
  }
  at_ += 2;
  const char32_t low = hex4();
  if (low < 0xDC00 || low > 0xDFFF) {
    fail("half of a surrogate pair");
  }
}

char32_t JsonReader::hex4() {
  std::uint32_t value = 0;
  if (end_ - at_ < 4) {
    fail("\\u needs four hexadecimal digits");
  }
  const auto [stop, error] = std::from_chars(at_, at_ + 4, value, 16);
  if (error != std::errc{} || stop != at_ + 4) {
    fail("\\u needs four hexadecimal digits");
  }
  at_ += 4;
  return value;
}

// REQUIRES: `raw` passed raw_string()
std::string_view JsonReader::decode(std::string_view raw) {
  decoded_.clear();
  for (std::size_t i = 0; i < raw.size();) {
    if (raw[i] != '\\') {
      const std::size_t plain = std::min(raw.find('\\', i), raw.size());
      decoded_.append(raw, i, plain - i);
      i = plain;
      continue;
    }
    if (raw[i + 1] != 'u') {
      decoded_ += plain_escape(raw[i + 1]);
      i += 2;
      continue;
    }
    char32_t point = code_unit(&raw[i + 2]);
    i += 6;
    if (point >= 0xD800 && point <= 0xDBFF) {
      point = 0x10000 + ((point - 0xD800) << 10) + (code_unit(&raw[i + 2]) - 0xDC00);
      i += 6;
    }
    append_utf8(decoded_, point);
  }
  return decoded_;
}

void JsonReader::literal(std::string_view word) {
  if (!rest().starts_with(word)) {
    fail("no value begins like this");
  }
  at_ += word.size();
}

bool JsonReader::boolean() {
  skip_space();
  const bool value = next_is('t');
  literal(value ? "true" : "false");
  return value;
}

void JsonReader::digits() {
  if (at_ == end_ || !is_digit(*at_)) {
    fail("a digit is missing in a number");
  }
  while (at_ != end_ && is_digit(*at_)) {
    ++at_;
  }
}

std::string_view JsonReader::number() {
  skip_space();
  const char* first = at_;
  if (next_is('-')) {
    ++at_;
  }
  if (next_is('0')) {
    ++at_;
  } else {
    digits();
  }
  if (next_is('.')) {
    ++at_;
    digits();
  }
  if (next_is('e') || next_is('E')) {
    ++at_;
    if (next_is('+') || next_is('-')) {
      ++at_;
    }
    digits();
  }
  return {first, static_cast<std::size_t>(at_ - first)};
}

std::optional<std::int64_t> JsonReader::integer() {
  const std::string_view text = number();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

void JsonReader::skip_scalar() {
  switch (type()) {
    case JsonType::kString: raw_string(); break;
    case JsonType::kNumber: number(); break;
    case JsonType::kBool: boolean(); break;
    default: literal("null"); break;
  }
}

std::string_view JsonReader::skip() {
  skip_space();
  const char* first = at_;
  const std::size_t outer = depth_;
  std::bitset<kMaxDepth + 1> objects;  // by depth; instead of recursion, which a text could exhaust
  do {
    if (depth_ > outer && !(objects[depth_] ? next_key().has_value() : next_item())) {
      continue;
    }
    const JsonType next = type();
    if (next == JsonType::kObject || next == JsonType::kArray) {
      next == JsonType::kObject ? begin_object() : begin_array();
      objects.set(depth_, next == JsonType::kObject);
    } else {
      skip_scalar();
    }
  } while (depth_ > outer);
  return {first, static_cast<std::size_t>(at_ - first)};
}

void JsonReader::finish() {
  skip_space();
  if (at_ != end_) {
    fail("something follows the value");
  }
}

}  // namespace maas
