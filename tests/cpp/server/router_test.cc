// SPDX-License-Identifier: Apache-2.0
#include "maas/server/router.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

struct RouterTest : ::testing::Test {
  RouterTest() {
    Catalog catalog;
    catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({1})))};
    EndpointSpec& endpoint = catalog.endpoints.emplace_back();
    endpoint.path = "/say/it";
    endpoint.timeout = std::chrono::seconds(10);
    endpoint.model = harness.serve("/say/it", std::make_shared<testing::Texts>(1, ""));
    endpoint.fields = {{"f0", std::nullopt, {}, true}};
    harness.publish(std::move(catalog));
  }
  int status(Method method, std::string_view path) { return harness.call(method, path).status; }

  testing::Harness harness;
};

TEST_F(RouterTest, every_route_of_the_table_is_found) {
  for (const Route& route : routes()) {
    std::string path(route.path);
    if (const auto at = path.find("{model}"); at != std::string::npos) {
      path.replace(at, 7, "m");
    }
    const int got = status(route.method, path);
    EXPECT_NE(got, 404) << path;
    EXPECT_NE(got, 405) << path;
  }
}

// Each route with each verb: what it takes is begun, anything else is told what it takes.
TEST_F(RouterTest, every_route_takes_its_verbs_and_no_others) {
  for (const Route& route : routes()) {
    std::string path(route.path);
    if (const auto at = path.find("{model}"); at != std::string::npos) {
      path.replace(at, 7, "m");
    }
    const bool gets = route.method == Method::kGet;
    const std::string allow = gets ? "Allow: GET, HEAD, OPTIONS\r\n" : "Allow: POST, OPTIONS\r\n";
    for (const Method method :
         {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete,
          Method::kOptions, Method::kTrace, Method::kQuery}) {
      SCOPED_TRACE(path + " " + std::to_string(static_cast<int>(method)));
      const bool taken =
          gets ? method == Method::kGet || method == Method::kHead : method == Method::kPost;
      const int got = status(method, path);
      EXPECT_EQ(got == 405, !taken && method != Method::kOptions);
      EXPECT_EQ(got == 204, method == Method::kOptions);
      EXPECT_EQ(taken ? allow : harness.kept->response.headers, allow);
    }
  }
}

TEST_F(RouterTest, body_beyond_a_routes_own_limit_is_too_large) {
  const std::string large((64U << 10U) + 1, ' ');
  EXPECT_EQ(harness.post("/v2/repository/index", large).status, 413);
  EXPECT_NE(harness.post("/v2/models/m/infer", large).status, 413);
}

TEST_F(RouterTest, route_without_a_scope_is_not_served) {
  Route open = routes().front();
  open.scope = "";
  EXPECT_THROW(Router(RouteContext{harness.options, harness.state}, {&open, 1}), Error);
  open.scope = "read";
  EXPECT_NO_THROW(Router(RouteContext{harness.options, harness.state}, {&open, 1}));
}

TEST_F(RouterTest, asterisk_stands_for_the_server) {
  EXPECT_EQ(status(Method::kOptions, "*"), 204);
}

TEST_F(RouterTest, override_of_the_method_is_ignored) {
  const std::vector<Header> headers = {{"X-HTTP-Method-Override", "DELETE"}};
  EXPECT_EQ(harness.call(Method::kPost, "/say/it", R"({"f0":1})", headers).status, 200);
}

TEST_F(RouterTest, endpoints_are_found_by_their_exact_path) {
  EXPECT_EQ(harness.post("/say/it", R"({"f0":1})").body, "1");
  for (const char* path : {"/say/it/", "/say", "/say/IT", "//say/it", "/say/./it", "say/it"}) {
    EXPECT_EQ(status(Method::kPost, path), 404) << path;
  }
}

TEST_F(RouterTest, an_unknown_path_is_404_in_json) {
  const HttpResponse response = harness.get("/none\"\n" + std::string(100, 'x'));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_THAT(response.body, HasSubstr(R"({"error":"there is nothing at '/none\"?xxx)"));
  EXPECT_LT(response.body.size(), 220U);
}

TEST_F(RouterTest, a_wrong_method_is_405_and_told_what_is_allowed) {
  EXPECT_EQ(status(Method::kPost, "/livez"), 405);
  EXPECT_EQ(harness.kept->response.headers, "Allow: GET, HEAD, OPTIONS\r\n");
  EXPECT_THAT(harness.kept->response.body, HasSubstr(R"({"error":)"));
  EXPECT_EQ(status(Method::kGet, "/say/it"), 405);
  EXPECT_EQ(harness.kept->response.headers, "Allow: POST, OPTIONS\r\n");
  EXPECT_EQ(status(Method::kDelete, "/v2/models/m"), 405);
  EXPECT_EQ(status(Method::kTrace, "/v2/models/m/infer"), 405);
  EXPECT_EQ(status(Method::kConnect, "example.org:443"), 405);
  EXPECT_EQ(status(Method::kOther, "/v2/models/m/infer"), 501);
}

TEST_F(RouterTest, head_is_answered_as_get_and_options_with_what_is_allowed) {
  EXPECT_EQ(status(Method::kHead, "/livez"), 200);
  EXPECT_EQ(status(Method::kHead, "/say/it"), 405);
  EXPECT_EQ(status(Method::kOptions, "/say/it"), 204);
  EXPECT_EQ(harness.kept->response.headers, "Allow: POST, OPTIONS\r\n");
}

TEST_F(RouterTest, a_model_that_is_not_there_is_404_and_named) {
  const HttpResponse model = harness.get("/v2/models/none");
  EXPECT_EQ(model.status, 404);
  EXPECT_THAT(model.body, HasSubstr("no model 'none'"));
  const HttpResponse version = harness.get("/v2/models/m/versions/2/ready");
  EXPECT_EQ(version.status, 404);
  EXPECT_THAT(version.body, HasSubstr("'m' with version '2'"));
  EXPECT_EQ(status(Method::kGet, "/v2/models/m/versions/1/ready"), 200);
}

TEST_F(RouterTest, names_and_versions_out_of_form_are_400) {
  for (const char* path :
       {"/v2/models/", "/v2/models/.", "/v2/models/../ready", "/v2/models/-a", "/v2/models/a;x",
        "/v2/models/a'--", "/v2/models/a\\b", "/v2/models/m/versions/01",
        "/v2/models/m/versions/-1", "/v2/models/m/versions/1e3/infer", "/v2/models/m/versions/",
        "/v2/models/m/versions/12345678901234567890", "/v2/models//ready"}) {
    const std::string_view text = path;
    const Method method = text.ends_with("infer") ? Method::kPost : Method::kGet;
    EXPECT_EQ(status(method, path), 400) << path;
  }
  for (const char* path : {"/v2/models/m/", "/v2/models/m/x", "/v2/models/m/versions",
                           "/v2/models/m/versions/1/", "/v2/models/m/infer/x", "/v2/x"}) {
    EXPECT_EQ(status(Method::kGet, path), 404) << path;
  }
}

TEST_F(RouterTest, percent_signs_are_decoded_once_and_never_into_slashes) {
  EXPECT_EQ(status(Method::kGet, "/%6Civez"), 200);
  EXPECT_EQ(harness.post("/s%61y/it", R"({"f0":1})").body, "1");
  for (const char* path : {"/%", "/%zz", "/%1", "/v2/models/%g0"}) {
    EXPECT_EQ(status(Method::kGet, path), 400) << path;
  }
  for (const char* path : {"/say%2fit", "/v2%2Fmodels", "/v2/models/m%2fready", "/%256Civez",
                           "/livez%00", "/v2/models/..%2f..%2fetc"}) {
    EXPECT_EQ(status(Method::kGet, path), 404) << path;
  }
  for (const char* path : {"/v2/models/%2e%2e", "/v2/models/%c0%ae", "/v2/models/m%00"}) {
    EXPECT_EQ(status(Method::kGet, path), 400) << path;
  }
}

TEST_F(RouterTest, a_request_keeps_the_catalogue_it_came_under) {
  EXPECT_EQ(status(Method::kGet, "/v2/models/m"), 200);
  const auto kept = harness.kept;
  harness.publish({});
  EXPECT_EQ(status(Method::kGet, "/v2/models/m"), 404);
  EXPECT_EQ(kept->catalog->models.size(), 1U);
  EXPECT_EQ((*kept->model)->name(), "m");
}

}  // namespace
}  // namespace maas
