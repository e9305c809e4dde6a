// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite.h"

#include <sqlite3.h>

#include "maas/base/error.h"

namespace maas {
namespace {

// Waiting is for whoever commits at this moment: milliseconds, if its process is not stopped.
constexpr int kPatienceMs = 60'000;

Error failure(sqlite3* handle, int code) {
  const std::string why = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error(ErrorCode::kUnavailable,
                   "cannot write the catalogue: the disk is full; free some space, try again")
          .with_http_status(507);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable,
              "another process has kept the catalogue to itself for a minute; end it or try again"};
    case SQLITE_READONLY:
      return {ErrorCode::kForbidden, "the store is read-only: its catalogue cannot be changed"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kInternal, "the catalogue is damaged (" + why +
                                        "); `maas models recover` makes it again from the records"};
    default: return {ErrorCode::kInternal, "the catalogue: " + why};
  }
}

void check(sqlite3* handle, int code) {
  if (code != SQLITE_OK) {
    throw failure(handle, code);
  }
}

}  // namespace

Statement::Statement(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* made = nullptr;
  const int code =
      sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &made, nullptr);
  statement_.reset(made);
  check(database, code);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(std::string_view text) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_text64(statement_.get(), ++bound_, text.data() != nullptr ? text.data() : "",
                            text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_int64(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind(double number) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_double(statement_.get(), ++bound_, number));
  return *this;
}

Statement& Statement::bind_column(const Statement& row, int column) {
  check(sqlite3_db_handle(statement_.get()),
        sqlite3_bind_value(statement_.get(), ++bound_,
                           sqlite3_column_value(row.statement_.get(), column)));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    throw failure(sqlite3_db_handle(statement_.get()), code);
  }
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = 0;
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes), size);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

Database::Database(const std::filesystem::path& file, Mode mode) {
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* made = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &made, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(made);
  check(made, code);
  sqlite3_extended_result_codes(made, 1);
  check(made, sqlite3_busy_timeout(made, kPatienceMs));
  run_script("PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON");
  if (mode == Mode::kReadWrite) {
    run_script("PRAGMA synchronous = FULL");
    Statement journal = prepare("PRAGMA journal_mode = TRUNCATE");
    if (!journal.step() || journal.text(0) != "truncate") {
      throw Error(ErrorCode::kInternal,
                  "the catalogue cannot be kept with a rollback journal: " + file.string());
    }
  }
}

void Database::Close::operator()(sqlite3* handle) const noexcept {
  sqlite3_close_v2(handle);
}

void Database::run_script(std::string_view sql) const {
  check(handle_.get(),
        sqlite3_exec(handle_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Database::last_row() const noexcept {
  return sqlite3_last_insert_rowid(handle_.get());
}

std::int64_t Database::changes() const noexcept {
  return sqlite3_changes(handle_.get());
}

void Database::copy_to(const std::filesystem::path& file) const {
  const Database target(file, Mode::kReadWrite);
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_.get(), "main", handle_.get(), "main");
  if (backup == nullptr) {
    throw failure(target.handle_.get(), sqlite3_errcode(target.handle_.get()));
  }
  int code = SQLITE_OK;
  do {
    code = sqlite3_backup_step(backup, 1000);
  } while (code == SQLITE_OK);
  (void)sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) {
    throw failure(target.handle_.get(), code);
  }
}

Transaction::Transaction(const Database& database, Kind kind) : database_(database) {
  database_.run_script(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (open_) {
    try {
      database_.run_script("ROLLBACK");
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a failure has undone it already
    }
  }
}

void Transaction::commit() {
  database_.run_script("COMMIT");
  open_ = false;
}

}  // namespace maas
