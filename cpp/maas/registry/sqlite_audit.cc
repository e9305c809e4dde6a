// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_audit.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "maas/base/error.h"
#include "maas/base/sha256.h"
#include "maas/registry/json.h"

namespace maas {
namespace {

namespace json = boost::json;

constexpr std::string_view kColumns =
    "sequence, at_ms, who, request_id, action, name, version, subject, before, after, "
    "previous_hash, hash";

AuditRow row_of(const Statement& found) {
  return {.sequence = found.integer(0),
          .at_ms = found.integer(1),
          .who = found.text(2),
          .request_id = found.text(3),
          .action = found.text(4),
          .name = found.text(5),
          .version = found.integer(6),
          .subject = found.text(7),
          .before = found.text(8),
          .after = found.text(9),
          .previous_hash = found.text(10),
          .hash = found.text(11)};
}

std::string payload_of(const AuditRow& row, const std::string& event) {
  return canonical_json(json::object{{"event", event},
                                     {"sequence", row.sequence},
                                     {"at_ms", row.at_ms},
                                     {"who", row.who},
                                     {"request_id", row.request_id},
                                     {"name", row.name},
                                     {"version", row.version},
                                     {"subject", row.subject},
                                     {"before", row.before},
                                     {"after", row.after}});
}

}  // namespace

std::string audit_hash(const AuditRow& row) {
  return sha256(canonical_json(json::array{row.previous_hash, row.sequence, row.at_ms, row.who,
                                           row.request_id, row.action, row.name, row.version,
                                           row.subject, row.before, row.after}));
}

void append_audit(const Database& database, AuditRow row, const std::string& event) {
  Statement last =
      database.prepare("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1");
  const bool has_last = last.step();
  row.sequence = has_last ? last.integer(0) + 1 : 1;
  row.previous_hash = has_last ? last.text(1) : "";
  row.hash = audit_hash(row);
  database.run("INSERT INTO audit (" + std::string(kColumns) +
                   ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               row.sequence, row.at_ms, row.who, row.request_id, row.action, row.name, row.version,
               row.subject, row.before, row.after, row.previous_hash, row.hash);
  database.run("INSERT INTO outbox (name, event, payload, created_ms) VALUES (?, ?, ?, ?)",
               row.name, event, payload_of(row, event), row.at_ms);
}

std::vector<AuditRow> read_audit(const Database& database,
                                 const std::string& name,
                                 std::int64_t after,
                                 std::size_t limit) {
  Statement found = database.prepare("SELECT " + std::string(kColumns) + " FROM audit WHERE " +
                                     (name.empty() ? "? = ''" : "name = ?") +
                                     " AND sequence > ? ORDER BY sequence LIMIT ?");
  found.bind_all(name, after, static_cast<std::int64_t>(limit));
  std::vector<AuditRow> rows;
  while (found.step()) {
    rows.push_back(row_of(found));
  }
  return rows;
}

AuditCheck verify_audit(const Database& database) {
  AuditCheck check;
  const auto problem = [&](std::int64_t sequence, const std::string& what) {
    check.problem = "audit row " + std::to_string(sequence) + " " + what;
    return check;
  };
  Statement found =
      database.prepare("SELECT " + std::string(kColumns) + " FROM audit ORDER BY sequence");
  while (found.step()) {
    const AuditRow row = row_of(found);
    if (row.sequence != check.rows + 1) {
      return problem(check.rows + 1, "is missing");
    }
    if (row.previous_hash != check.head || row.hash != audit_hash(row)) {
      return problem(row.sequence, "was changed: its hash does not follow from the row before");
    }
    ++check.rows;
    check.head = row.hash;
  }
  Statement last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit'");
  if (last.step() && last.integer(0) != check.rows) {
    return problem(last.integer(0), "is missing: the end of the audit was cut off");
  }
  return check;
}

std::vector<OutboxRow> read_outbox(const Database& database, std::size_t limit) {
  Statement found = database.prepare(
      "SELECT id, name, event, payload, created_ms FROM outbox WHERE delivered_ms IS NULL "
      "ORDER BY id LIMIT ?");
  found.bind(static_cast<std::int64_t>(limit));
  std::vector<OutboxRow> rows;
  while (found.step()) {
    rows.push_back({.id = found.integer(0),
                    .name = found.text(1),
                    .event = found.text(2),
                    .payload = found.text(3),
                    .created_ms = found.integer(4)});
  }
  return rows;
}

void mark_delivered(const Database& database, std::int64_t id, std::int64_t now_ms) {
  Statement row = database.prepare("SELECT name FROM outbox WHERE id = ?");
  if (!row.bind(id).step()) {
    throw Error(ErrorCode::kNotFound, "the outbox has no row " + std::to_string(id));
  }
  const std::string name = row.text(0);
  Statement before = database.prepare(
      "SELECT min(id) FROM outbox WHERE name = ? AND id < ? AND delivered_ms IS NULL");
  if (before.bind_all(name, id).step() && before.integer(0) != 0) {
    throw Error(ErrorCode::kConflict, "row " + std::to_string(before.integer(0)) +
                                          " of the outbox comes before row " + std::to_string(id) +
                                          " and is not delivered yet");
  }
  database.run("UPDATE outbox SET delivered_ms = ? WHERE id = ?", now_ms, id);
}

}  // namespace maas
