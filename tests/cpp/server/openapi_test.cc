// SPDX-License-Identifier: Apache-2.0
#include "maas/server/openapi.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/server/json_reader.h"
#include "maas/server/openapi_components.h"
#include "maas/server/routes.h"

namespace maas {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string document(const Catalog& catalog) {
  ServerOptions options;
  options.title = "my \"title\"";
  options.version = "1.2";
  std::string body;
  write_openapi(options, catalog, body);
  JsonReader json(body);
  json.skip();
  json.finish();
  return body;
}

// The raw text of a member of an object.
std::string member(const std::string& text, std::string_view wanted) {
  JsonReader json(text);
  json.begin_object();
  while (const auto key = json.next_key()) {
    const bool found = *key == wanted;
    const std::string_view value = json.skip();
    if (found) {
      return std::string(value);
    }
  }
  ADD_FAILURE() << "no " << wanted;
  return "{}";
}

TEST(OpenApi, it_tells_title_and_version) {
  EXPECT_THAT(
      document({}),
      testing::StartsWith(
          R"({"openapi":"3.1.0","info":{"title":"my \"title\"","version":"1.2"},"paths":{)"));
}

TEST(OpenApi, every_documented_route_is_there_with_its_scope) {
  const std::string paths = member(document({}), "paths");
  for (const Route& route : routes()) {
    if (!route.answer.empty()) {
      EXPECT_THAT(member(paths, route.path), HasSubstr(std::string(route.scope)));
    }
  }
  const std::string versioned = member(paths, "/v2/models/{model}/versions/{version}/infer");
  EXPECT_THAT(versioned, HasSubstr(R"({"name":"version","in":"path","required":true)"));
  EXPECT_THAT(versioned, HasSubstr(R"("operationId":"v2_infer_of_version")"));
  // A repository loads and unloads all versions of a model together.
  EXPECT_THAT(paths, Not(HasSubstr("/v2/repository/models/{model}/versions")));
}

TEST(OpenApi, all_references_resolve) {
  const std::string text = document({});
  const std::string components = member(text, "components");
  for (const std::string kind : {"schemas", "responses", "parameters"}) {
    const std::string known = member(components, kind);
    const std::string start = "\"#/components/" + kind + "/";
    for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
      const auto first = at + start.size();
      member(known, text.substr(first, text.find('"', first) - first));
    }
  }
}

TEST(OpenApi, an_endpoints_operation_gets_the_errors_that_it_does_not_describe) {
  Catalog catalog;
  catalog.components = R"({"Label":{"type":"string"}})";
  EndpointSpec& endpoint = catalog.endpoints.emplace_back();
  endpoint.path = "/classify";
  endpoint.operation =
      R"({"summary":"s","responses":{"200":{"description":"ok"},"422":{"description":"own"}}})";
  const std::string text = document(catalog);
  const std::string post = member(member(member(text, "paths"), "/classify"), "post");
  EXPECT_EQ(member(post, "summary"), R"("s")");
  const std::string responses = member(post, "responses");
  EXPECT_EQ(member(responses, "200"), R"({"description":"ok"})");
  EXPECT_EQ(member(responses, "422"), R"({"description":"own"})");
  EXPECT_EQ(member(responses, "503"), R"({"$ref":"#/components/responses/maas.Unavailable"})");
  EXPECT_EQ(member(member(member(text, "components"), "schemas"), "Label"), R"({"type":"string"})");
}

TEST(OpenApi, what_runs_a_model_takes_timeout_and_priority) {
  Catalog catalog;
  EndpointSpec& endpoint = catalog.endpoints.emplace_back();
  endpoint.path = "/mine";
  endpoint.operation = R"({"parameters":[{"name":"own","in":"header"}]})";
  catalog.endpoints.emplace_back().path = "/bare";
  const std::string paths = member(document(catalog), "paths");
  const std::string both(urgency_parameters());
  const auto parameters = [&](const std::string& path) {
    return member(member(member(paths, path), "post"), "parameters");
  };
  EXPECT_EQ(parameters("/mine"), R"([{"name":"own","in":"header"},)" + both + "]");
  EXPECT_EQ(parameters("/bare"), "[" + both + "]");
  EXPECT_EQ(parameters("/v2/models/{model}/infer"), "[" + both + "]");
}

TEST(OpenApi, an_endpoint_without_an_operation_is_described_all_the_same) {
  Catalog catalog;
  catalog.endpoints.emplace_back().path = "/bare";
  const std::string post = member(member(member(document(catalog), "paths"), "/bare"), "post");
  EXPECT_THAT(member(post, "responses"), HasSubstr(R"("200":{"description":)"));
}

}  // namespace
}  // namespace maas
