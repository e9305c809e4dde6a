// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "maas/base/error.h"

namespace maas {
namespace {

using Key = Condition::Key;
using Operator = Condition::Operator;

struct KeyName {
  std::string_view name;
  Key key;
  bool is_number;
};
constexpr std::array kKeys = {
    KeyName{"name", Key::kName, false},     KeyName{"version", Key::kVersion, true},
    KeyName{"state", Key::kState, false},   KeyName{"runtime", Key::kRuntime, false},
    KeyName{"author", Key::kAuthor, false}, KeyName{"description", Key::kDescription, false},
    KeyName{"digest", Key::kDigest, false}, KeyName{"created_ms", Key::kCreated, true},
    KeyName{"size", Key::kSize, true},      KeyName{"alias", Key::kAlias, false},
};
constexpr std::string_view kKeyList =
    "name, version, state, runtime, author, description, digest, created_ms, size, alias, "
    "tags.KEY and metrics.[DATA.]NAME";

constexpr std::array<std::pair<std::string_view, Operator>, 8> kSymbols = {{
    {"!=", Operator::kNotEqual},
    {"<=", Operator::kLessEqual},
    {">=", Operator::kGreaterEqual},
    {"=", Operator::kEqual},
    {"<", Operator::kLess},
    {">", Operator::kGreater},
    {"LIKE", Operator::kLike},
    {"ILIKE", Operator::kILike},
}};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Filter parse() {
    Filter filter;
    skip_space();
    if (at_end()) {
      return filter;
    }
    do {
      filter.conditions.push_back(condition());
    } while (take_word("AND"));
    skip_space();
    if (!at_end()) {
      fail("AND, or the end");
    }
    return filter;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  void skip_space() {
    while (!at_end() && is_space(text_[at_])) {
      ++at_;
    }
  }
  [[noreturn]] void fail(std::string_view expected) const {
    throw Error(ErrorCode::kInvalidArgument, "search: at character " + std::to_string(at_ + 1) +
                                                 " of \"" + std::string(text_.substr(0, 300)) +
                                                 "\": expected " + std::string(expected));
  }
  [[nodiscard]] std::string_view peek_word() const {
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) {
      ++end;
    }
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view wanted) {
    skip_space();
    const std::string_view word = peek_word();
    const bool same = std::equal(word.begin(), word.end(), wanted.begin(), wanted.end(),
                                 [](char a, char b) { return (a & ~0x20) == (b & ~0x20); });
    if (same) {
      at_ += word.size();
    }
    return same;
  }

  Condition condition() {
    Condition made;
    const bool is_number = key(made);
    made.compare = comparison(is_number);
    if (made.compare == Operator::kIn) {
      list(made, is_number);
    } else {
      made.values.push_back(value(is_number));
    }
    return made;
  }

  // Whether its values are numbers.
  bool key(Condition& made) {
    skip_space();
    const std::string_view word = peek_word();
    for (const KeyName& known : kKeys) {
      if (known.name == word) {
        made.key = known.key;
        at_ += word.size();
        return known.is_number;
      }
    }
    const bool is_tag = word.starts_with("tags.");
    if (!is_tag && !word.starts_with("metrics.")) {
      fail("a key: " + std::string(kKeyList));
    }
    at_ += is_tag ? 5 : 8;
    made.key = is_tag ? Key::kTag : Key::kMetric;
    made.part = part();
    if (!is_tag && !at_end() && text_[at_] == '.') {
      ++at_;
      made.data = std::exchange(made.part, part());
    } else if (const std::size_t dot = made.part.find('.'); !is_tag && dot != std::string::npos) {
      made.data = made.part.substr(0, dot);
      made.part.erase(0, dot + 1);
    }
    return !is_tag;
  }
  // Plain, or in quotes or backticks when it has other characters.
  std::string part() {
    if (!at_end() && (text_[at_] == '`' || text_[at_] == '"')) {
      return quoted(text_[at_]);
    }
    const std::string_view word = peek_word();
    if (word.empty()) {
      fail("the name after the dot");
    }
    at_ += word.size();
    return std::string(word);
  }

  Operator comparison(bool is_number) {
    skip_space();
    if (take_word("IN")) {
      return Operator::kIn;
    }
    for (const auto& [symbol, made] : kSymbols) {
      const bool is_like = made == Operator::kLike || made == Operator::kILike;
      if (is_like ? !is_number && take_word(symbol) : text_.substr(at_).starts_with(symbol)) {
        at_ += is_like ? 0 : symbol.size();
        return made;
      }
    }
    fail(is_number ? "one of = != < <= > >= IN" : "one of = != < <= > >= LIKE ILIKE IN");
  }

  void list(Condition& made, bool is_number) {
    skip_space();
    if (at_end() || text_[at_] != '(') {
      fail("( after IN");
    }
    do {
      ++at_;
      made.values.push_back(value(is_number));
      skip_space();
    } while (!at_end() && text_[at_] == ',');
    if (at_end() || text_[at_] != ')') {
      fail(", or )");
    }
    ++at_;
  }

  Condition::Value value(bool is_number) {
    skip_space();
    const bool has_quote = !at_end() && (text_[at_] == '\'' || text_[at_] == '"');
    if (!is_number) {
      if (!has_quote) {
        fail("text in quotes, such as 'champion'");
      }
      return quoted(text_[at_]);
    }
    // MLflow's clients write the numbers of versions in quotes.
    const std::string text = has_quote ? quoted(text_[at_]) : std::string(number_text());
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
      fail("a number");
    }
    return number;
  }
  std::string_view number_text() {
    const std::size_t start = at_;
    while (!at_end() && (is_word(text_[at_]) || text_[at_] == '+')) {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }
  // A quote inside is doubled.
  std::string quoted(char quote) {
    std::string made;
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] != quote) {
        made += text_[at_];
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        made += text_[at_++];
      } else {
        ++at_;
        return made;
      }
    }
    fail("the end of the quoted text");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Filter parse_filter(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace maas
