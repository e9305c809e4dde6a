// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "registry/fixture.h"

#include "maas/registry/catalogue.h"

namespace maas {

// What every catalogue must pass. A back-end instantiates it with a function that makes an empty
// one, as sqlite_catalogue_test.cc does.
struct CatalogueMaker {
  const char* name;
  std::function<std::unique_ptr<Catalogue>(const std::filesystem::path& folder)> make;
};

class CatalogueSuite : public testing::TestWithParam<CatalogueMaker> {
 public:
  CatalogueSuite() : catalogue(GetParam().make(folder.path())) {}

  VersionRow publish(const std::string& name,
                     const Tags& tags = {},
                     VersionState state = VersionState::kReady) {
    NewVersion made;
    made.row.name = name;
    made.row.digest = sha256(name + std::to_string(++published_));
    made.row.state = state;
    made.row.reason = state == VersionState::kFailed ? "differs" : "";
    made.row.runtime = "test";
    made.row.tags = tags;
    made.row.metrics = {{"test", "accuracy", published_ / 100.0}};
    made.blobs = {{"model.pt", {sha256("blob" + std::to_string(published_)), 4}}};
    return catalogue->publish(made, tester(), {});
  }
  AliasMove move(const std::string& name,
                 std::int64_t version,
                 std::optional<std::int64_t> expect = std::nullopt) {
    return catalogue->move_alias({name, "champion", version, expect}, tester(), {});
  }
  AliasMove back(const std::string& name) {
    return catalogue->roll_back({.name = name, .alias = "champion"}, tester(), {});
  }
  std::vector<std::string> search(const std::string& expression, std::size_t limit = 1000) {
    std::vector<std::string> found;
    for (const VersionRow& row : catalogue->search(parse_filter(expression), "", limit).items) {
      found.push_back(row.name + ":" + std::to_string(row.version));
    }
    return found;
  }

  TemporaryFolder folder;
  std::unique_ptr<Catalogue> catalogue;

 private:
  int published_ = 0;
};

}  // namespace maas
