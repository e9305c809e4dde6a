// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_alias.h"

#include "maas/base/error.h"
#include "maas/registry/sqlite_rows.h"

namespace maas {
namespace {

struct StackEntry {
  std::int64_t sequence = 0;
  std::int64_t version = 0;
  std::int64_t below = 0;
};

std::int64_t current(const Database& database, const AliasRequest& request) {
  Statement read = database.prepare("SELECT version FROM aliases WHERE name = ? AND alias = ?");
  return read.bind_all(request.name, request.alias).step() ? read.integer(0) : 0;
}

StackEntry entry_at(const Database& database, std::int64_t sequence) {
  Statement read = database.prepare("SELECT version, below FROM alias_moves WHERE sequence = ?");
  if (!read.bind(sequence).step()) {
    return {};
  }
  return {sequence, read.integer(0), read.integer(1)};
}

StackEntry top(const Database& database, const std::string& name, const std::string& alias) {
  Statement read =
      database.prepare("SELECT max(sequence) FROM alias_moves WHERE name = ? AND alias = ?");
  return read.bind_all(name, alias).step() ? entry_at(database, read.integer(0)) : StackEntry{};
}

std::string version_text(std::int64_t version) {
  return version == 0 ? "no version" : "version " + std::to_string(version);
}

AliasMove checked_move(const Database& database, const AliasRequest& request) {
  if (!read_model(database, request.name)) {
    throw Error(ErrorCode::kNotFound, "there is no model '" + request.name + "'");
  }
  AliasMove move{.name = request.name, .alias = request.alias};
  move.previous = current(database, request);
  if (request.expect && *request.expect != move.previous) {
    throw Error(ErrorCode::kConflict, "alias '" + request.alias + "' of '" + request.name +
                                          "' is at " + version_text(move.previous) + ", not at " +
                                          version_text(*request.expect) + " as expected");
  }
  return move;
}

void check_servable(const Database& database, const std::string& name, std::int64_t version) {
  const auto row = read_version(database, name, version);
  const std::string what = "version " + std::to_string(version) + " of '" + name + "'";
  if (!row) {
    throw Error(ErrorCode::kNotFound, "there is no " + what);
  }
  if (row->state == VersionState::kDeleted) {
    throw Error(ErrorCode::kNotFound, what + " was deleted");
  }
  if (row->state == VersionState::kFailed) {
    throw Error(ErrorCode::kConflict, what + " is not ready: " + row->reason);
  }
  if (!row->damage.empty()) {
    throw Error(ErrorCode::kConflict, what + " is damaged: " + row->damage);
  }
}

bool is_servable(const Database& database, const std::string& name, std::int64_t version) {
  const auto row = read_version(database, name, version);
  return row && row->state == VersionState::kReady && row->damage.empty();
}

}  // namespace

AliasMove plan_move(const Database& database, const AliasRequest& request) {
  AliasMove move = checked_move(database, request);
  move.version = request.version;
  move.action = request.version == 0 ? "remove" : "set";
  if (request.version != 0) {
    check_servable(database, request.name, request.version);
  } else if (move.previous == 0) {
    throw Error(ErrorCode::kNotFound,
                "'" + request.name + "' has no alias '" + request.alias + "'");
  }
  return move;
}

AliasMove plan_roll_back(const Database& database, const AliasRequest& request) {
  AliasMove move = checked_move(database, request);
  move.action = "rollback";
  if (move.previous == 0) {
    throw Error(ErrorCode::kNotFound,
                "'" + request.name + "' has no alias '" + request.alias + "' to roll back");
  }
  StackEntry at = top(database, request.name, request.alias);
  do {
    at = entry_at(database, at.below);
  } while (at.sequence != 0 &&
           (at.version == move.previous || !is_servable(database, request.name, at.version)));
  if (at.sequence == 0) {
    throw Error(ErrorCode::kConflict,
                "alias '" + request.alias + "' of '" + request.name + "' is at version " +
                    std::to_string(move.previous) +
                    ", and no version that it was at before is there to go back to");
  }
  move.version = at.version;
  // For write_move(): what lies under the place to which it goes back.
  move.sequence = at.below;
  return move;
}

void write_move(const Database& database, AliasMove& move) {
  std::int64_t below = move.sequence;
  if (move.action != "rollback") {
    const StackEntry last = top(database, move.name, move.alias);
    below = last.version == 0 ? last.below : last.sequence;
  }
  database.run(
      "INSERT INTO alias_moves (name, alias, version, previous, below, action, who, at_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      move.name, move.alias, move.version, move.previous, below, move.action, move.who, move.at_ms);
  move.sequence = database.last_row();
  if (move.version == 0) {
    database.run("DELETE FROM aliases WHERE name = ? AND alias = ?", move.name, move.alias);
  } else {
    database.run("INSERT OR REPLACE INTO aliases (name, alias, version) VALUES (?, ?, ?)",
                 move.name, move.alias, move.version);
  }
}

std::vector<AliasMove> read_moves(const Database& database,
                                  const std::string& name,
                                  const std::string& alias,
                                  std::size_t limit) {
  Statement read = database.prepare(
      "SELECT sequence, name, alias, version, previous, action, who, at_ms FROM alias_moves "
      "WHERE name = ? AND " +
      std::string(alias.empty() ? "? = ''" : "alias = ?") + " ORDER BY sequence DESC LIMIT ?");
  read.bind_all(name, alias, static_cast<std::int64_t>(limit));
  std::vector<AliasMove> moves;
  while (read.step()) {
    moves.push_back({.sequence = read.integer(0),
                     .name = read.text(1),
                     .alias = read.text(2),
                     .version = read.integer(3),
                     .previous = read.integer(4),
                     .action = read.text(5),
                     .who = read.text(6),
                     .at_ms = read.integer(7)});
  }
  return moves;
}

}  // namespace maas
