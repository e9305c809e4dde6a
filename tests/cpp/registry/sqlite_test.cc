// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite.h"

#include "registry/fixture.h"

namespace maas {
namespace {

using Kind = Transaction::Kind;
using Mode = Database::Mode;

TEST(Sqlite, values_come_back_as_they_went_in) {
  const TemporaryFolder folder;
  const Database database(folder / "a.db", Mode::kReadWrite);
  database.run_script("CREATE TABLE t (a TEXT, b INTEGER, c REAL)");
  const std::string text("with\0zero", 9);
  database.run("INSERT INTO t VALUES (?, ?, ?)", text, std::int64_t{1} << 60, 0.1);
  Statement read = database.prepare("SELECT a, b, c FROM t");
  ASSERT_TRUE(read.step());
  EXPECT_EQ(read.text(0), text);
  EXPECT_EQ(read.integer(1), std::int64_t{1} << 60);
  EXPECT_EQ(read.real(2), 0.1);
}

TEST(Sqlite, what_is_not_committed_is_undone) {
  const TemporaryFolder folder;
  const Database database(folder / "a.db", Mode::kReadWrite);
  database.run_script("CREATE TABLE t (a)");
  {
    const Transaction open(database, Kind::kWrite);
    database.run("INSERT INTO t VALUES (1)");
  }
  Statement count = database.prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 0);
}

TEST(Sqlite, keeps_a_rollback_journal_and_synchronises_fully) {
  const TemporaryFolder folder;
  const Database database(folder / "a.db", Mode::kReadWrite);
  Statement journal = database.prepare("PRAGMA journal_mode");
  Statement synchronous = database.prepare("PRAGMA synchronous");
  ASSERT_TRUE(journal.step() && synchronous.step());
  EXPECT_EQ(journal.text(0), "truncate");
  EXPECT_EQ(synchronous.integer(0), 2);
}

TEST(Sqlite, a_file_that_is_none_is_called_damaged) {
  const TemporaryFolder folder;
  write_text(folder / "a.db", std::string(8192, 'x'));
  EXPECT_THAT(message_of([&] { const Database database(folder / "a.db", Mode::kReadWrite); }),
              testing::HasSubstr("damaged"));
  EXPECT_NE(code_of([&] { const Database database(folder / "none.db", Mode::kReadOnly); }),
            ErrorCode::kCancelled);
}

TEST(Sqlite, a_read_only_database_is_not_changed) {
  const TemporaryFolder folder;
  Database(folder / "a.db", Mode::kReadWrite).run_script("CREATE TABLE t (a)");
  const Database database(folder / "a.db", Mode::kReadOnly);
  EXPECT_EQ(code_of([&] { database.run("INSERT INTO t VALUES (1)"); }), ErrorCode::kForbidden);
}

TEST(Sqlite, a_copy_is_whole) {
  const TemporaryFolder folder;
  const Database database(folder / "a.db", Mode::kReadWrite);
  database.run_script("CREATE TABLE t (a); INSERT INTO t VALUES (7)");
  database.copy_to(folder / "b.db");
  const Database copy(folder / "b.db", Mode::kReadOnly);
  Statement read = copy.prepare("SELECT a FROM t");
  ASSERT_TRUE(read.step());
  EXPECT_EQ(read.integer(0), 7);
}

}  // namespace
}  // namespace maas
