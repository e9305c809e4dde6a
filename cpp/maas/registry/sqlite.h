// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace maas {

// One statement on its way. Throws Error as Database does.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  // In the order of the question marks.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);
  Statement& bind(double number);
  template <typename... Values>
  Statement& bind_all(const Values&... values) {
    (bind(values), ...);
    return *this;
  }

  // What a column of another statement's row holds, of whatever type.
  Statement& bind_column(const Statement& row, int column);

  // True while there is a row to read.
  bool step();
  // To its end.
  void run();
  // Once more, with other values.
  void reset();

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

// A connection to an SQLite file with a rollback journal and full synchronisation: what was
// committed survives a power failure. Never WAL, which loses commits in libraries before 3.51.3
// when a checkpoint races. One thread at a time. Throws Error: unavailable when the file is locked
// for too long or the disk is full (507), internal when it is damaged, forbidden when it is
// read-only.
class Database {
 public:
  enum class Mode : std::uint8_t { kReadWrite, kReadOnly };

  Database(const std::filesystem::path& file, Mode mode);

  [[nodiscard]] Statement prepare(std::string_view sql) const { return {handle_.get(), sql}; }
  template <typename... Values>
  void run(std::string_view sql, const Values&... values) const {
    prepare(sql).bind_all(values...).run();
  }
  // Several statements at once.
  void run_script(std::string_view sql) const;
  [[nodiscard]] std::int64_t last_row() const noexcept;
  [[nodiscard]] std::int64_t changes() const noexcept;
  void copy_to(const std::filesystem::path& file) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// One that writes takes the right to it at once, so that no two can wait for each other; one that
// reads sees one state. What was not committed is undone by the destructor.
class Transaction {
 public:
  enum class Kind : std::uint8_t { kRead, kWrite };

  Transaction(const Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace maas
