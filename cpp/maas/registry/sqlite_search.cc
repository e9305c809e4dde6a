// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_search.h"

#include <string_view>

namespace maas {
namespace {

using Key = Condition::Key;
using Operator = Condition::Operator;

// With fewer owners than this, sorting them is cheaper than reading versions in order.
constexpr std::int64_t kFew = 2000;

std::string_view column_of(Key key) {
  switch (key) {
    case Key::kName: return "v.name";
    case Key::kVersion: return "v.version";
    case Key::kState: return "v.state";
    case Key::kRuntime: return "v.runtime";
    case Key::kAuthor: return "v.author";
    case Key::kDescription: return "v.description";
    case Key::kDigest: return "v.digest";
    case Key::kCreated: return "v.created_ms";
    case Key::kSize: return "v.size";
    case Key::kAlias: return "a.alias";
    case Key::kTag: return "t.value";
    case Key::kMetric: return "m.value";
  }
  return "";
}

std::string comparison(std::string_view column, const Condition& condition) {
  const std::string left(column);
  switch (condition.compare) {
    case Operator::kEqual: return left + " = ?";
    case Operator::kNotEqual: return left + " != ?";
    case Operator::kLess: return left + " < ?";
    case Operator::kLessEqual: return left + " <= ?";
    case Operator::kGreater: return left + " > ?";
    case Operator::kGreaterEqual: return left + " >= ?";
    case Operator::kLike: return left + " LIKE ?";
    case Operator::kILike: return "lower(" + left + ") LIKE lower(?)";
    case Operator::kIn: break;
  }
  std::string marks = "?";
  for (std::size_t i = 1; i < condition.values.size(); ++i) {
    marks += ", ?";
  }
  return left + " IN (" + marks + ")";
}

// The rows of tags or metrics that fulfil it, without the version they belong to.
SqlCondition inner(const Condition& condition) {
  SqlCondition made;
  if (condition.key == Key::kTag) {
    made.sql = "tags t WHERE t.key = ?";
  } else {
    made.sql = "metrics m WHERE m.name = ?";
  }
  made.values.emplace_back(condition.part);
  if (!condition.data.empty()) {
    made.sql += " AND m.data = ?";
    made.values.emplace_back(condition.data);
  }
  made.sql += " AND " + comparison(column_of(condition.key), condition);
  made.values.insert(made.values.end(), condition.values.begin(), condition.values.end());
  return made;
}

bool is_rare(const Database& database, const SqlCondition& rows) {
  Statement count = database.prepare("SELECT count(*) FROM (SELECT 1 FROM " + rows.sql + " LIMIT " +
                                     std::to_string(kFew + 1) + ")");
  rows.bind_to(count);
  return count.step() && count.integer(0) <= kFew;
}

SqlCondition sql_of(const Database& database, const Condition& condition, bool& is_driven) {
  if (condition.key == Key::kAlias) {
    return {"EXISTS (SELECT 1 FROM aliases a WHERE a.name = v.name AND a.version = v.version AND " +
                comparison("a.alias", condition) + ")",
            condition.values};
  }
  if (condition.key != Key::kTag && condition.key != Key::kMetric) {
    return {comparison(column_of(condition.key), condition), condition.values};
  }
  SqlCondition rows = inner(condition);
  const std::string_view row = condition.key == Key::kTag ? "t" : "m";
  if (!is_driven && is_rare(database, rows)) {
    is_driven = true;
    rows.sql = "v.id IN (SELECT " + std::string(row) + ".owner FROM " + rows.sql + ")";
  } else {
    rows.sql = "EXISTS (SELECT 1 FROM " + rows.sql + " AND " + std::string(row) + ".owner = v.id)";
  }
  return rows;
}

}  // namespace

void SqlCondition::bind_to(Statement& statement) const {
  for (const auto& value : values) {
    if (const auto* number = std::get_if<double>(&value)) {
      statement.bind(*number);
    } else {
      statement.bind(*std::get_if<std::string>(&value));
    }
  }
}

SqlCondition sql_of(const Database& database, const Filter& filter) {
  SqlCondition all;
  bool has_state = false;
  bool is_driven = false;
  for (const Condition& condition : filter.conditions) {
    has_state |= condition.key == Key::kState;
    const SqlCondition one = sql_of(database, condition, is_driven);
    all.sql += (all.sql.empty() ? "" : " AND ") + one.sql;
    all.values.insert(all.values.end(), one.values.begin(), one.values.end());
  }
  if (!has_state) {
    all.sql += all.sql.empty() ? "v.state != 'DELETED'" : " AND v.state != 'DELETED'";
  }
  return all;
}

}  // namespace maas
