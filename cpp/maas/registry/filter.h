// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace maas {

// One comparison of a search. A value is text or a number, as its key asks; IN has several.
struct Condition {
  enum class Key : std::uint8_t {
    kName,
    kVersion,
    kState,
    kRuntime,
    kAuthor,
    kDescription,
    kDigest,
    kCreated,
    kSize,
    kAlias,
    kTag,
    kMetric,
  };
  enum class Operator : std::uint8_t {
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kLike,   // % and _ stand for anything
    kILike,  // likewise, in either case
    kIn,
  };
  using Value = std::variant<std::string, double>;

  Key key = Key::kName;
  std::string part{};  // of a tag or metric: its key
  std::string data{};  // of a metric: the set of data; empty for any
  Operator compare = Operator::kEqual;
  std::vector<Value> values{};
};

// All of its conditions hold; an empty one asks for everything. Deleted versions are found only by
// a filter that names the state DELETED.
struct Filter {
  std::vector<Condition> conditions{};
};

// name = 'x' AND tags.team = 'a' AND metrics.test.accuracy >= 0.9 AND state IN ('READY', 'FAILED'):
// MLflow's grammar. Throws invalid_argument that says where and what was expected.
Filter parse_filter(std::string_view text);

}  // namespace maas
