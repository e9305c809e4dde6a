// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_rows.h"

#include <map>
#include <utility>
#include <vector>

#include "maas/base/error.h"
#include "maas/registry/names.h"
#include "maas/registry/sqlite_search.h"

namespace maas {
namespace {

constexpr std::string_view kVersionColumns =
    "v.id, v.name, v.version, v.digest, v.state, v.reason, v.damage, v.runtime, v.description, "
    "v.author, v.created_ms, v.size";

// Rows by their id, in the order in which they were asked for.
struct Found {
  std::vector<VersionRow> rows{};
  std::map<std::int64_t, std::size_t> by_id{};

  [[nodiscard]] std::string ids() const {
    std::string text = "[";
    for (const auto& [id, at] : by_id) {
      text += (text.size() > 1 ? "," : "") + std::to_string(id);
    }
    return text + "]";
  }
  VersionRow& of(std::int64_t id) { return rows[by_id.at(id)]; }
};

void add_row(const Statement& read, Found& found) {
  found.by_id[read.integer(0)] = found.rows.size();
  found.rows.push_back({.name = read.text(1),
                        .version = read.integer(2),
                        .digest = read.text(3),
                        .state = parse_state(read.text(4)),
                        .reason = read.text(5),
                        .damage = read.text(6),
                        .runtime = read.text(7),
                        .description = read.text(8),
                        .author = read.text(9),
                        .created_ms = read.integer(10),
                        .size = read.integer(11)});
}

// A statement for each kind of detail, not for each version.
void add_details(const Database& database, Found& found) {
  const std::string ids = found.ids();
  Statement tags = database.prepare(
      "SELECT owner, key, value FROM tags WHERE owner IN (SELECT value FROM json_each(?))");
  for (tags.bind(ids); tags.step();) {
    found.of(tags.integer(0)).tags.emplace(tags.text(1), tags.text(2));
  }
  Statement metrics = database.prepare(
      "SELECT owner, data, name, value FROM metrics "
      "WHERE owner IN (SELECT value FROM json_each(?)) ORDER BY owner, data, name");
  for (metrics.bind(ids); metrics.step();) {
    found.of(metrics.integer(0))
        .metrics.push_back({metrics.text(1), metrics.text(2), metrics.real(3)});
  }
  Statement aliases = database.prepare(
      "SELECT v.id, a.alias FROM versions v CROSS JOIN aliases a "
      "ON a.name = v.name AND a.version = v.version "
      "WHERE v.id IN (SELECT value FROM json_each(?)) ORDER BY a.alias");
  for (aliases.bind(ids); aliases.step();) {
    found.of(aliases.integer(0)).aliases.push_back(aliases.text(1));
  }
}

// "name/12": where a page of versions ended.
std::pair<std::string, std::int64_t> place_of(const std::string& token) {
  if (token.empty()) {
    return {"", 0};
  }
  const std::size_t slash = token.rfind('/');
  if (slash == std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "'" + token + "' is no place where a page ended");
  }
  return {token.substr(0, slash), parse_version_number(token.substr(slash + 1))};
}

ModelRow model_of(const Statement& read) {
  return {.name = read.text(0),
          .next_version = read.integer(1),
          .description = read.text(2),
          .created_ms = read.integer(3),
          .versions = read.integer(4),
          .latest = read.integer(5)};
}

constexpr std::string_view kModelColumns =
    "m.name, m.next_version, m.description, m.created_ms, "
    "(SELECT count(*) FROM versions v WHERE v.name = m.name AND v.state IN ('READY', 'FAILED')), "
    "(SELECT max(version) FROM versions v WHERE v.name = m.name AND v.state = 'READY')";

// A statement for each kind of detail, not for each model.
void add_details(const Database& database, std::vector<ModelRow>& models) {
  std::map<std::string, ModelRow*> by_name;
  std::string names = "[";
  for (ModelRow& model : models) {
    by_name[model.name] = &model;
    names += (names.size() > 1 ? ",\"" : "\"") + model.name + "\"";
  }
  names += ']';
  Statement tags = database.prepare(
      "SELECT name, key, value FROM model_tags WHERE name IN (SELECT value FROM json_each(?))");
  for (tags.bind(names); tags.step();) {
    by_name[tags.text(0)]->tags.emplace(tags.text(1), tags.text(2));
  }
  Statement aliases = database.prepare(
      "SELECT name, alias, version FROM aliases WHERE name IN (SELECT value FROM json_each(?))");
  for (aliases.bind(names); aliases.step();) {
    by_name[aliases.text(0)]->aliases.emplace(aliases.text(1), aliases.integer(2));
  }
}

}  // namespace

std::optional<VersionRow> read_version(const Database& database,
                                       const std::string& name,
                                       std::int64_t version) {
  Statement read = database.prepare("SELECT " + std::string(kVersionColumns) +
                                    " FROM versions v WHERE v.name = ? AND v.version = ?");
  Found found;
  if (!read.bind_all(name, version).step()) {
    return std::nullopt;
  }
  add_row(read, found);
  add_details(database, found);
  return std::move(found.rows.front());
}

std::optional<ModelRow> read_model(const Database& database, const std::string& name) {
  Statement read =
      database.prepare("SELECT " + std::string(kModelColumns) + " FROM models m WHERE m.name = ?");
  if (!read.bind(name).step()) {
    return std::nullopt;
  }
  std::vector<ModelRow> found = {model_of(read)};
  add_details(database, found);
  return std::move(found.front());
}

Page<VersionRow> search_versions(const Database& database,
                                 const Filter& filter,
                                 const std::string& after,
                                 std::size_t limit) {
  const auto [name, version] = place_of(after);
  const SqlCondition where = sql_of(database, filter);
  Statement read = database.prepare("SELECT " + std::string(kVersionColumns) +
                                    " FROM versions v WHERE (v.name, v.version) > (?, ?) AND " +
                                    where.sql + " ORDER BY v.name, v.version LIMIT ?");
  read.bind_all(name, version);
  where.bind_to(read);
  read.bind(static_cast<std::int64_t>(limit) + 1);
  Found found;
  Page<VersionRow> page;
  while (read.step()) {
    if (found.rows.size() == limit) {
      const VersionRow& last = found.rows.back();
      page.next = last.name + "/" + std::to_string(last.version);
      break;
    }
    add_row(read, found);
  }
  add_details(database, found);
  page.items = std::move(found.rows);
  return page;
}

Page<ModelRow> page_of_models(const Database& database,
                              const std::string& after,
                              std::size_t limit) {
  Statement read = database.prepare("SELECT " + std::string(kModelColumns) +
                                    " FROM models m WHERE m.name > ? ORDER BY m.name LIMIT ?");
  read.bind_all(after, static_cast<std::int64_t>(limit) + 1);
  Page<ModelRow> page;
  while (read.step()) {
    if (page.items.size() == limit) {
      page.next = page.items.back().name;
      break;
    }
    page.items.push_back(model_of(read));
  }
  add_details(database, page.items);
  return page;
}

bool insert_model(const Database& database, const std::string& name, std::int64_t created_ms) {
  database.run(
      "INSERT INTO models (name, next_version, created_ms) VALUES (?, 1, ?) ON CONFLICT DO NOTHING",
      name, created_ms);
  return database.changes() == 1;
}

void insert_version(const Database& database, const NewVersion& made) {
  const VersionRow& row = made.row;
  database.run(
      "INSERT INTO versions (name, version, digest, state, reason, damage, runtime, description, "
      "author, created_ms, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row.name, row.version, row.digest, state_name(row.state), row.reason, row.damage, row.runtime,
      row.description, row.author, row.created_ms, row.size);
  const std::int64_t id = database.last_row();
  for (const auto& [key, value] : row.tags) {
    database.run("INSERT INTO tags (owner, key, value) VALUES (?, ?, ?)", id, key, value);
  }
  for (const MetricValue& metric : row.metrics) {
    database.run("INSERT INTO metrics (owner, data, name, value) VALUES (?, ?, ?, ?)", id,
                 metric.data, metric.name, metric.value);
  }
  for (const FileEntry& file : made.blobs) {
    database.run("INSERT INTO blobs (owner, path, digest, size) VALUES (?, ?, ?, ?)", id, file.path,
                 file.blob.digest, file.blob.size);
  }
  write_stamps(database, made.stamps);
}

void set_tag(const Database& database,
             const Annotation& annotation,
             const std::string& key,
             const std::string& value) {
  if (annotation.version == 0) {
    database.run("INSERT OR REPLACE INTO model_tags (name, key, value) VALUES (?, ?, ?)",
                 annotation.name, key, value);
  } else {
    database.run(
        "INSERT OR REPLACE INTO tags (owner, key, value) "
        "SELECT id, ?, ? FROM versions WHERE name = ? AND version = ?",
        key, value, annotation.name, annotation.version);
  }
}

void leave_number_alone(const Database& database, const std::string& name, std::int64_t version) {
  for (const char* table : {"tags", "metrics", "blobs"}) {
    database.run("DELETE FROM " + std::string(table) +
                     " WHERE owner = (SELECT id FROM versions WHERE name = ? AND version = ?)",
                 name, version);
  }
  database.run("UPDATE versions SET state = 'DELETED', damage = '' WHERE name = ? AND version = ?",
               name, version);
}

VersionRow require_removable(const Database& database,
                             const std::string& name,
                             std::int64_t version) {
  auto row = read_version(database, name, version);
  const std::string what = "version " + std::to_string(version) + " of '" + name + "'";
  if (!row || row->state == VersionState::kDeleted) {
    throw Error(ErrorCode::kNotFound, "there is no " + what + (row ? " any more" : ""));
  }
  if (!row->aliases.empty()) {
    throw Error(ErrorCode::kConflict,
                what + " has the alias '" + row->aliases.front() + "'; move or remove that first");
  }
  return std::move(*row);
}

void require_present(const Database& database, const Annotation& annotation) {
  const std::string& name = annotation.name;
  if (annotation.version == 0) {
    if (!read_model(database, name)) {
      throw Error(ErrorCode::kNotFound, "there is no model '" + name + "'");
    }
    return;
  }
  const auto row = read_version(database, name, annotation.version);
  if (!row || row->state == VersionState::kDeleted) {
    throw Error(ErrorCode::kNotFound,
                "there is no version " + std::to_string(annotation.version) + " of '" + name + "'");
  }
}

std::set<std::string, std::less<>> read_needed_blobs(const Database& database) {
  std::set<std::string, std::less<>> digests;
  for (Statement read = database.prepare("SELECT DISTINCT digest FROM blobs"); read.step();) {
    digests.insert(read.text(0));
  }
  return digests;
}

std::vector<FileEntry> read_blobs(const Database& database,
                                  const std::string& name,
                                  std::int64_t version) {
  Statement read = database.prepare(
      "SELECT path, digest, size FROM blobs WHERE owner = "
      "(SELECT id FROM versions WHERE name = ? AND version = ?) ORDER BY path");
  std::vector<FileEntry> files;
  for (read.bind_all(name, version); read.step();) {
    files.push_back({read.text(0), {read.text(1), read.integer(2)}});
  }
  return files;
}

void write_stamps(const Database& database, const std::map<std::string, FileStamp>& stamps) {
  for (const auto& [digest, stamp] : stamps) {
    database.run(
        "INSERT OR REPLACE INTO stamps (digest, inode, size, modified_ns, changed_ns) "
        "VALUES (?, ?, ?, ?, ?)",
        digest, static_cast<std::int64_t>(stamp.inode), stamp.size, stamp.modified_ns,
        stamp.changed_ns);
  }
}

std::optional<FileStamp> read_stamp(const Database& database, const std::string& digest) {
  Statement read =
      database.prepare("SELECT inode, size, modified_ns, changed_ns FROM stamps WHERE digest = ?");
  if (!read.bind(digest).step()) {
    return std::nullopt;
  }
  return FileStamp{static_cast<std::uint64_t>(read.integer(0)), read.integer(1), read.integer(2),
                   read.integer(3)};
}

}  // namespace maas
