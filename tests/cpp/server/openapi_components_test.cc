// SPDX-License-Identifier: Apache-2.0
#include "maas/server/openapi_components.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "maas/server/json_reader.h"

namespace maas {
namespace {

std::set<std::string> keys_of(std::string_view members) {
  const std::string text = "{" + std::string(members) + "}";
  std::set<std::string> keys;
  JsonReader json(text);
  json.begin_object();
  while (const auto key = json.next_key()) {
    EXPECT_TRUE(key->starts_with("maas.")) << *key;
    EXPECT_TRUE(keys.emplace(*key).second) << *key;
    json.skip();
  }
  json.finish();
  return keys;
}

void expect_references(std::string_view text,
                       std::string_view kind,
                       const std::set<std::string>& known) {
  const std::string start = "#/components/" + std::string(kind) + "/";
  for (auto at = text.find(start); at != std::string_view::npos; at = text.find(start, at + 1)) {
    const auto first = at + start.size();
    EXPECT_TRUE(known.count(std::string(text.substr(first, text.find('"', first) - first))) == 1)
        << text.substr(at, 80);
  }
}

TEST(OpenApiComponents, they_are_json_and_what_they_refer_to_exists) {
  const auto schemas = keys_of(own_schemas());
  expect_references(own_schemas(), "schemas", schemas);
  expect_references(own_responses(), "schemas", schemas);
  EXPECT_FALSE(keys_of(own_responses()).empty());
  expect_references(urgency_parameters(), "parameters", keys_of(own_parameters()));
}

TEST(OpenApiComponents, errors_have_their_response) {
  const auto responses = keys_of(own_responses());
  for (const char* status : {"400", "404", "413", "415", "422", "500", "503", "504"}) {
    EXPECT_EQ(responses.count(std::string(error_response(status))), 1U) << status;
  }
  EXPECT_EQ(error_response("418"), "");
}

}  // namespace
}  // namespace maas
