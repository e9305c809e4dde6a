// SPDX-License-Identifier: Apache-2.0
#include "maas/server/routes.h"

#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "maas/server/openapi_components.h"

namespace maas {
namespace {

bool has(std::string_view members, std::string_view name) {
  return members.find("\"" + std::string(name) + "\":{") != std::string_view::npos;
}

TEST(Routes, paths_and_operation_ids_are_unique) {
  std::set<std::string_view> paths;
  std::set<std::string_view> ids;
  for (const Route& route : routes()) {
    EXPECT_TRUE(route.path.starts_with('/')) << route.path;
    EXPECT_TRUE(paths.insert(route.path).second) << route.path;
    EXPECT_TRUE(ids.insert(route.id).second) << route.id;
  }
}

TEST(Routes, every_row_is_complete_and_names_what_exists) {
  const ServerOptions options;
  const ServerState state;
  for (const Route& route : routes()) {
    EXPECT_TRUE(route.method == Method::kGet || route.method == Method::kPost);
    EXPECT_TRUE(route.scope == "public" || route.scope == "read" || route.scope == "infer" ||
                route.scope == "admin");
    EXPECT_FALSE(route.summary.empty());
    EXPECT_NE(route.make({options, state}), nullptr);
    EXPECT_TRUE(route.answer.empty() || has(own_responses(), route.answer)) << route.answer;
    EXPECT_TRUE(route.request.empty() || has(own_schemas(), route.request)) << route.request;
    for (std::size_t at = 0; at < route.errors.size(); at += 4) {
      EXPECT_NE(error_response(route.errors.substr(at, 3)), "") << route.errors;
    }
  }
}

}  // namespace
}  // namespace maas
