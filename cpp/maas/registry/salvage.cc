// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/salvage.h"

#include <array>
#include <string_view>

#include "maas/base/error.h"
#include "maas/registry/sqlite.h"
#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

struct Table {
  std::string_view name;
  std::string_view columns;  // the first of them is the key
  int count;
};
constexpr std::array kTables = {
    Table{"audit",
          "sequence, at_ms, who, request_id, action, name, version, subject, before, after, "
          "previous_hash, hash",
          12},
    Table{"alias_moves", "sequence, name, alias, version, previous, below, action, who, at_ms", 9},
    Table{"outbox", "id, name, event, payload, created_ms, delivered_ms", 6},
};

std::string marks(int count) {
  std::string text = "?";
  for (int i = 1; i < count; ++i) {
    text += ", ?";
  }
  return text;
}

void insert_row(const Statement& read, int columns, Statement& write) {
  for (int i = 0; i < columns; ++i) {
    write.bind_column(read, i);
  }
  write.run();
  write.reset();
}

// Up to the first row that cannot be read.
std::int64_t copy(const Database& from,
                  const Database& to,
                  const Table& table,
                  std::vector<std::string>& problems) {
  std::int64_t rows = 0;
  try {
    const std::string name(table.name);
    const std::string columns(table.columns);
    const std::string key = columns.substr(0, columns.find(','));
    Statement read = from.prepare("SELECT " + columns + " FROM " + name + " ORDER BY " + key);
    Statement write = to.prepare("INSERT INTO " + name + " (" + columns + ") VALUES (" +
                                 marks(table.count) + ")");
    while (read.step()) {
      insert_row(read, table.count, write);
      ++rows;
    }
  } catch (const Error& error) {
    problems.push_back("the table " + std::string(table.name) + " ends after " +
                       std::to_string(rows) + " rows: " + error.message());
  }
  return rows;
}

}  // namespace

std::int64_t salvage(const std::filesystem::path& from,
                     const std::filesystem::path& to,
                     std::vector<std::string>& problems) {
  try {
    // To write, so that a change that was cut off is undone first.
    const Database old(from, Database::Mode::kReadWrite);
    if (schema_version(old) < 1) {
      problems.push_back("the catalogue that was there is empty");
      return 0;
    }
    const Database made(to, Database::Mode::kReadWrite);
    Transaction transaction(made, Transaction::Kind::kWrite);
    std::int64_t audit_rows = 0;
    for (const Table& table : kTables) {
      const std::int64_t rows = copy(old, made, table, problems);
      audit_rows = &table == kTables.data() ? rows : audit_rows;
    }
    transaction.commit();
    return audit_rows;
  } catch (const Error& error) {
    problems.push_back("nothing could be read of the catalogue that was there: " + error.message());
    return 0;
  }
}

}  // namespace maas
