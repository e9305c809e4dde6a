// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_catalogue.h"

#include <utility>

#include <sys/stat.h>

#include "maas/base/error.h"
#include "maas/base/guarded.h"
#include "maas/base/sha256.h"
#include "maas/registry/sqlite.h"
#include "maas/registry/sqlite_alias.h"
#include "maas/registry/sqlite_audit.h"
#include "maas/registry/sqlite_rows.h"
#include "maas/registry/sqlite_schema.h"

namespace maas {
namespace {

using Kind = Transaction::Kind;

ino_t inode_of(const std::filesystem::path& file) {
  struct stat status{};
  return ::stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
}

class SqliteCatalogue final : public Catalogue {
 private:
  struct Connection {
    std::unique_ptr<Database> database{};
    ino_t inode = 0;
  };

  template <typename Body>
  auto in_transaction(Kind kind, const Body& body) {
    return connection_.with([&](Connection& connection) {
      connect(connection);
      Transaction transaction(*connection.database, kind);
      auto result = body(*connection.database);  // NOLINT(misc-const-correctness): moved from
      transaction.commit();
      return result;
    });
  }
  template <typename Body>
  auto change(const Body& body) {
    return in_transaction(Kind::kWrite, body);
  }
  template <typename Body>
  auto ask(const Body& body) {
    return in_transaction(Kind::kRead, body);
  }

 public:
  explicit SqliteCatalogue(SqliteOptions options) : options_(std::move(options)) {
    connection_.with([this](Connection& connection) { connect(connection); });
  }

  VersionRow publish(NewVersion made, const Actor& actor, const BeforeCommit& before) override {
    return change([&](const Database& database) {
      VersionRow& row = made.row;
      const std::int64_t now = options_.now_ms();
      if (insert_model(database, row.name, now)) {
        audit(database, actor, {.action = "create_model", .name = row.name}, "model.created");
      }
      row.version = read_model(database, row.name)->next_version;
      database.run("UPDATE models SET next_version = ? WHERE name = ?", row.version + 1, row.name);
      insert_version(database, made);
      audit(database, actor,
            {.action = "publish", .name = row.name, .version = row.version, .after = row.digest},
            "version.published");
      call(database, before, row.name, row.version);
      return row;
    });
  }

  AliasMove move_alias(const AliasRequest& request,
                       const Actor& actor,
                       const BeforeCommit& before) override {
    return change([&](const Database& database) {
      return write(database, plan_move(database, request), actor, before);
    });
  }

  AliasMove roll_back(const AliasRequest& request,
                      const Actor& actor,
                      const BeforeCommit& before) override {
    return change([&](const Database& database) {
      return write(database, plan_roll_back(database, request), actor, before);
    });
  }

  VersionRow remove(const std::string& name,
                    std::int64_t version,
                    const Actor& actor,
                    const BeforeCommit& before) override {
    return change([&](const Database& database) {
      const VersionRow row = require_removable(database, name, version);
      leave_number_alone(database, name, version);
      audit(database, actor,
            {.action = "delete", .name = name, .version = version, .before = row.digest},
            "version.deleted");
      call(database, before, name, version);
      return row;
    });
  }

  void annotate(const Annotation& annotation,
                const Actor& actor,
                const BeforeCommit& before) override {
    change([&](const Database& database) {
      require_present(database, annotation);
      for (const auto& [key, value] : annotation.set) {
        note(database, annotation, actor, "tag:" + key, value);
        set_tag(database, annotation, key, value);
      }
      for (const std::string& key : annotation.removed) {
        note(database, annotation, actor, "tag:" + key, "");
        database.run(annotation.version == 0
                         ? "DELETE FROM model_tags WHERE name = ? AND ? = 0 AND key = ?"
                         : "DELETE FROM tags WHERE owner = (SELECT id FROM versions WHERE name = ? "
                           "AND version = ?) AND key = ?",
                     annotation.name, annotation.version, key);
      }
      if (annotation.description) {
        note(database, annotation, actor, "description", *annotation.description);
        database.run(annotation.version == 0
                         ? "UPDATE models SET description = ? WHERE name = ? AND ? = 0"
                         : "UPDATE versions SET description = ? WHERE name = ? AND version = ?",
                     *annotation.description, annotation.name, annotation.version);
      }
      call(database, before, annotation.name, annotation.version);
      return 0;
    });
  }

  void restore(const std::vector<ModelRow>& models,
               const std::vector<NewVersion>& versions,
               const Actor& actor) override {
    change([&](const Database& database) {
      for (const ModelRow& model : models) {
        restore_model(database, model);
      }
      for (const NewVersion& made : versions) {
        insert_version(database, made);
      }
      for (const ModelRow& model : models) {
        restore_aliases(database, model, actor);
      }
      audit(database, actor,
            {.action = "recover", .after = std::to_string(versions.size()) + " versions"},
            "store.recovered");
      return 0;
    });
  }

  void note_damage(const std::string& name,
                   std::int64_t version,
                   const std::string& damage) override {
    change([&](const Database& database) {
      database.run("UPDATE versions SET damage = ? WHERE name = ? AND version = ?", damage, name,
                   version);
      return 0;
    });
  }

  void remember_stamps(const std::map<std::string, FileStamp>& stamps) override {
    change([&](const Database& database) {
      write_stamps(database, stamps);
      return 0;
    });
  }

  std::optional<FileStamp> stamp_of(const std::string& digest) override {
    return ask([&](const Database& database) { return read_stamp(database, digest); });
  }

  std::optional<ModelRow> model(const std::string& name) override {
    return ask([&](const Database& database) { return read_model(database, name); });
  }
  std::optional<VersionRow> version(const std::string& name, std::int64_t version) override {
    return ask([&](const Database& database) { return read_version(database, name, version); });
  }
  Page<ModelRow> models(const std::string& after, std::size_t limit) override {
    return ask([&](const Database& database) { return page_of_models(database, after, limit); });
  }
  Page<VersionRow> search(const Filter& filter,
                          const std::string& after,
                          std::size_t limit) override {
    return ask(
        [&](const Database& database) { return search_versions(database, filter, after, limit); });
  }
  std::vector<AliasMove> history(const std::string& name,
                                 const std::string& alias,
                                 std::size_t limit) override {
    return ask([&](const Database& database) { return read_moves(database, name, alias, limit); });
  }
  std::vector<AuditRow> audit(const std::string& name,
                              std::int64_t after,
                              std::size_t limit) override {
    return ask([&](const Database& database) { return read_audit(database, name, after, limit); });
  }
  AuditCheck verify_audit() override {
    return ask([](const Database& database) { return maas::verify_audit(database); });
  }
  std::vector<OutboxRow> outbox(std::size_t limit) override {
    return ask([&](const Database& database) { return read_outbox(database, limit); });
  }
  void mark_delivered(std::int64_t id) override {
    change([&](const Database& database) {
      maas::mark_delivered(database, id, options_.now_ms());
      return 0;
    });
  }

  std::set<std::string, std::less<>> needed_blobs() override {
    return ask([](const Database& database) { return read_needed_blobs(database); });
  }
  std::vector<FileEntry> blobs_of(const std::string& name, std::int64_t version) override {
    return ask([&](const Database& database) { return read_blobs(database, name, version); });
  }

  std::string self_check() override {
    return ask([](const Database& database) {
      Statement read = database.prepare("PRAGMA integrity_check(1)");
      const std::string told = read.step() ? read.text(0) : "it gave no answer";
      return told == "ok" ? std::string() : told;
    });
  }
  void back_up(const std::filesystem::path& file) override {
    connection_.with([&](Connection& connection) {
      connect(connection);
      connection.database->copy_to(file);
    });
  }

 private:
  // Opens the file when that has not been done, or when recovery has put another in its place.
  void connect(Connection& connection) const {
    const ino_t inode = inode_of(options_.file);
    if (connection.database && connection.inode == inode) {
      return;
    }
    connection.database.reset();
    if (inode == 0 && options_.read_only) {
      throw Error(ErrorCode::kNotFound,
                  "there is no store: '" + options_.file.string() + "' is missing");
    }
    if (inode == 0) {
      options_.before_creation();
    }
    connection.database = std::make_unique<Database>(
        options_.file, options_.read_only ? Database::Mode::kReadOnly : Database::Mode::kReadWrite);
    prepare(*connection.database);
    connection.inode = inode_of(options_.file);
  }
  void prepare(const Database& database) const {
    if (options_.read_only) {
      check_up_to_date(database, catalogue_steps());
      return;
    }
    if (schema_version(database) == 0) {
      // An emptied file is one that is not there; one that another makes now is there afterwards.
      const Transaction writing(database, Kind::kWrite);
      if (schema_version(database) == 0) {
        options_.before_creation();
      }
    }
    bring_up_to_date(database, catalogue_steps(), options_.before_migration);
  }

  void audit(const Database& database,
             const Actor& actor,
             AuditRow row,
             const std::string& event) const {
    row.who = actor.who;
    row.request_id = actor.request_id;
    row.at_ms = options_.now_ms();
    append_audit(database, std::move(row), event);
  }

  static void call(const Database& database,
                   const BeforeCommit& before,
                   const std::string& name,
                   std::int64_t version) {
    if (before) {
      before(*read_model(database, name),
             version == 0 ? std::nullopt : read_version(database, name, version));
    }
  }

  AliasMove write(const Database& database,
                  AliasMove move,
                  const Actor& actor,
                  const BeforeCommit& before) const {
    if (move.version == move.previous) {
      return move;  // it is there already
    }
    move.who = actor.who;
    move.at_ms = options_.now_ms();
    write_move(database, move);
    const auto digest = [&](std::int64_t version) {
      const auto row = version == 0 ? std::nullopt : read_version(database, move.name, version);
      return row ? row->digest : std::string();
    };
    audit(database, actor,
          {.action = "alias_" + move.action,
           .name = move.name,
           .version = move.version,
           .subject = move.alias,
           .before = digest(move.previous),
           .after = digest(move.version)},
          move.version == 0 ? "alias.removed" : "alias.moved");
    call(database, before, move.name, move.version);
    return move;
  }

  void note(const Database& database,
            const Annotation& annotation,
            const Actor& actor,
            const std::string& subject,
            const std::string& after) const {
    audit(database, actor,
          {.action = "annotate",
           .name = annotation.name,
           .version = annotation.version,
           .subject = subject,
           .after = sha256(after)},
          annotation.version == 0 ? "model.changed" : "version.changed");
  }

  static void restore_model(const Database& database, const ModelRow& model) {
    insert_model(database, model.name, model.created_ms);
    database.run("UPDATE models SET next_version = ?, description = ? WHERE name = ?",
                 model.next_version, model.description, model.name);
    for (const auto& [key, value] : model.tags) {
      set_tag(database, {.name = model.name}, key, value);
    }
  }
  void restore_aliases(const Database& database, const ModelRow& model, const Actor& actor) const {
    for (const auto& [alias, version] : model.aliases) {
      AliasMove move{.name = model.name,
                     .alias = alias,
                     .version = version,
                     .action = "set",
                     .who = actor.who,
                     .at_ms = options_.now_ms()};
      const auto known = read_moves(database, model.name, alias, 1);
      if (known.empty() || known.front().version != version) {
        write_move(database, move);
      } else {
        database.run("INSERT INTO aliases (name, alias, version) VALUES (?, ?, ?)", model.name,
                     alias, version);
      }
    }
  }

  const SqliteOptions options_;
  Guarded<Connection> connection_;
};

}  // namespace

std::unique_ptr<Catalogue> open_sqlite_catalogue(SqliteOptions options) {
  return std::make_unique<SqliteCatalogue>(std::move(options));
}

}  // namespace maas
