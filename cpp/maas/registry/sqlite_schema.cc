// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_schema.h"

#include <array>

#include "maas/base/error.h"

namespace maas {
namespace {

// "maas" in ASCII: what `file` shows, and how we know our own.
constexpr std::int64_t kApplication = 0x6d616173;

constexpr std::string_view kFirst = R"sql(
CREATE TABLE models (
  name TEXT PRIMARY KEY,
  next_version INTEGER NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE model_tags (
  name TEXT NOT NULL REFERENCES models,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name, key)
) WITHOUT ROWID;
CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL REFERENCES models,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  damage TEXT NOT NULL DEFAULT '',
  runtime TEXT NOT NULL,
  description TEXT NOT NULL,
  author TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  size INTEGER NOT NULL,
  UNIQUE (name, version)
);
CREATE INDEX versions_by_state ON versions (name, state, version);
CREATE TABLE tags (
  owner INTEGER NOT NULL REFERENCES versions,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX tags_by_key ON tags (key, value);
CREATE TABLE metrics (
  owner INTEGER NOT NULL REFERENCES versions,
  data TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (owner, data, name)
) WITHOUT ROWID;
CREATE INDEX metrics_by_name ON metrics (name, value);
CREATE TABLE blobs (
  owner INTEGER NOT NULL REFERENCES versions,
  path TEXT NOT NULL,
  digest TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (owner, path)
) WITHOUT ROWID;
CREATE INDEX blobs_by_digest ON blobs (digest);
CREATE TABLE aliases (
  name TEXT NOT NULL REFERENCES models,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (name, alias)
) WITHOUT ROWID;
CREATE INDEX aliases_by_alias ON aliases (alias, name, version);
CREATE TABLE alias_moves (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  alias TEXT NOT NULL,
  version INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  below INTEGER NOT NULL,
  action TEXT NOT NULL,
  who TEXT NOT NULL,
  at_ms INTEGER NOT NULL
);
CREATE INDEX alias_moves_by_name ON alias_moves (name, alias, sequence);
CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_by_name ON audit (name, sequence);
CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  event TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  delivered_ms INTEGER
);
CREATE INDEX outbox_waiting ON outbox (name, id) WHERE delivered_ms IS NULL;
CREATE TABLE stamps (
  digest TEXT PRIMARY KEY,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL
) WITHOUT ROWID;
)sql";

constexpr std::array kSteps = {kFirst};

std::int64_t pragma(const Database& database, std::string_view name) {
  Statement asked = database.prepare("PRAGMA " + std::string(name));
  return asked.step() ? asked.integer(0) : 0;
}

void check_known(const Database& database, std::size_t steps) {
  const int version = schema_version(database);
  if (version > static_cast<int>(steps)) {
    throw Error(ErrorCode::kInvalidArgument, "the store has the schema " + std::to_string(version) +
                                                 " of a newer maas, and this one knows " +
                                                 std::to_string(steps) + "; upgrade maas");
  }
  Statement tables = database.prepare("SELECT count(*) FROM sqlite_master");
  const bool has_tables = tables.step() && tables.integer(0) > 0;
  if (has_tables && pragma(database, "application_id") != kApplication) {
    throw Error(ErrorCode::kInvalidArgument,
                "catalogue.db is another program's database, not a catalogue of maas");
  }
}

}  // namespace

std::span<const std::string_view> catalogue_steps() {
  return kSteps;
}

int schema_version(const Database& database) {
  return static_cast<int>(pragma(database, "user_version"));
}

void bring_up_to_date(const Database& database,
                      std::span<const std::string_view> steps,
                      const std::function<void(int from)>& back_up) {
  check_known(database, steps.size());
  const int last = static_cast<int>(steps.size());
  const int found = schema_version(database);
  if (found == last) {
    return;
  }
  if (found > 0) {
    back_up(found);
  }
  Transaction transaction(database, Transaction::Kind::kWrite);
  // Another process may have done it meanwhile.
  for (int at = schema_version(database); at < last; ++at) {
    database.run_script(steps[static_cast<std::size_t>(at)]);
  }
  database.run_script("PRAGMA application_id = " + std::to_string(kApplication));
  database.run_script("PRAGMA user_version = " + std::to_string(last));
  transaction.commit();
}

void check_up_to_date(const Database& database, std::span<const std::string_view> steps) {
  check_known(database, steps.size());
  const int found = schema_version(database);
  if (found != static_cast<int>(steps.size())) {
    throw Error(ErrorCode::kForbidden,
                "the store has the older schema " + std::to_string(found) +
                    " and cannot be written to; open it once where it may be, to migrate it");
  }
}

}  // namespace maas
