// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/sqlite_catalogue.h"

#include "registry/catalogue_suite.h"

namespace maas {
namespace {

SqliteOptions options_in(const std::filesystem::path& folder) {
  return {.file = folder / "catalogue.db",
          .now_ms = [] { return std::int64_t{1'000}; },
          .before_migration = [](int) {},
          .before_creation = [] {}};
}

std::unique_ptr<Catalogue> make(const std::filesystem::path& folder) {
  return open_sqlite_catalogue(options_in(folder));
}

INSTANTIATE_TEST_SUITE_P(Sqlite,
                         CatalogueSuite,
                         testing::Values(CatalogueMaker{"sqlite", &make}),
                         [](const auto& told) { return std::string(told.param.name); });

TEST(SqliteCatalogue, a_read_only_one_answers_and_is_not_changed) {
  const TemporaryFolder folder;
  NewVersion made;
  made.row = {.name = "a", .digest = sha256("x"), .runtime = "test"};
  make(folder.path())->publish(made, tester(), {});
  SqliteOptions options = options_in(folder.path());
  options.read_only = true;
  const auto catalogue = open_sqlite_catalogue(options);
  EXPECT_EQ(catalogue->model("a")->latest, 1);
  EXPECT_EQ(code_of([&] { catalogue->publish(made, tester(), {}); }), ErrorCode::kForbidden);
}

TEST(SqliteCatalogue, opens_the_one_that_recovery_has_put_in_its_place) {
  const TemporaryFolder folder;
  const TemporaryFolder other;
  const auto catalogue = make(folder.path());
  NewVersion made;
  made.row = {.name = "b", .digest = sha256("x"), .runtime = "test"};
  make(other.path())->publish(made, tester(), {});
  EXPECT_FALSE(catalogue->model("b"));
  std::filesystem::rename(other / "catalogue.db", folder / "catalogue.db");
  EXPECT_TRUE(catalogue->model("b"));
}

}  // namespace
}  // namespace maas
