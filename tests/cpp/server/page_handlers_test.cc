// SPDX-License-Identifier: Apache-2.0
#include "maas/server/page_handlers.h"  // IWYU pragma: keep

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

TEST(PageHandlers, liveness_does_not_ask_for_readiness) {
  testing::Harness harness;
  for (const bool ready : {true, false}) {
    harness.state.ready = ready;
    for (const char* path : {"/livez", "/v2/health/live"}) {
      const HttpResponse response = harness.get(path);
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(response.body, R"({"live":true})");
      EXPECT_EQ(response.content_type, "application/json");
    }
  }
}

TEST(PageHandlers, readiness_is_503_until_the_server_takes_requests) {
  testing::Harness harness;
  for (const char* path : {"/readyz", "/v2/health/ready"}) {
    harness.state.ready = true;
    EXPECT_EQ(harness.get(path).status, 200);
    EXPECT_EQ(harness.get(path).body, R"({"live":true,"ready":true})");
    harness.state.ready = false;
    const HttpResponse response = harness.get(path);
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(response.body, HasSubstr(R"("error":)"));
    EXPECT_THAT(response.body, HasSubstr(R"("ready":false)"));
  }
}

TEST(PageHandlers, readiness_tells_what_a_service_says_is_wrong_unless_the_server_drains) {
  testing::Harness harness;
  const auto say = [&](const char* reason) {
    harness.state.unready.with([&](std::string& current) { current = reason; });
    return harness.get("/readyz");
  };
  const HttpResponse unwell = say("service 'a': \"stale\"");
  EXPECT_EQ(unwell.status, 503);
  EXPECT_EQ(unwell.body, R"({"error":"service 'a': \"stale\"","live":true,"ready":false})");
  EXPECT_EQ(harness.get("/livez").status, 200);
  harness.state.ready = false;
  EXPECT_THAT(harness.get("/readyz").body, HasSubstr("shutting down"));
  harness.state.ready = true;
  EXPECT_EQ(say("").status, 200);
}

TEST(PageHandlers, the_root_leads_to_the_documentation) {
  testing::Harness harness;
  EXPECT_EQ(harness.get("/").status, 302);
  EXPECT_EQ(harness.get("/").headers, "Location: /docs\r\n");
  EXPECT_EQ(harness.get("/docs").content_type, "text/html; charset=utf-8");
  EXPECT_THAT(harness.get("/docs").body, HasSubstr("/openapi.json"));
  harness.options.docs_page = "<p>mine";
  EXPECT_EQ(harness.get("/docs").body, "<p>mine");
}

TEST(PageHandlers, metrics_and_openapi_show_what_is_published) {
  testing::Harness harness;
  Catalog catalog;
  catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({1})))};
  EndpointSpec& endpoint = catalog.endpoints.emplace_back();
  endpoint.path = "/mine";
  endpoint.model = harness.serve("/mine", std::make_shared<testing::Texts>(1, ""));
  endpoint.fields = {{"f0", std::nullopt, {}, true}};
  harness.publish(std::move(catalog));
  const HttpResponse metrics = harness.get("/metrics");
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body, HasSubstr(R"(maas_requests_total{model="m",version="1"} 0)"));
  EXPECT_THAT(metrics.body, HasSubstr(R"(maas_requests_total{model="/mine",version="1"} 0)"));
  EXPECT_THAT(harness.get("/openapi.json").body, HasSubstr(R"("/mine":{"post")"));
}

}  // namespace
}  // namespace maas
