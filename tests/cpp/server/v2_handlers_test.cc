// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_handlers.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

struct V2Handlers : ::testing::Test {
  V2Handlers() {
    harness.options.title = "t";
    harness.options.version = "9";
    Catalog catalog;
    catalog.models = {
        harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})), 4),
        harness.serve("b", std::make_shared<testing::AddOne>(testing::floats({1})))};
    harness.publish(std::move(catalog));
  }
  testing::Harness harness;
};

TEST_F(V2Handlers, the_server_tells_its_name) {
  for (const char* path : {"/v2", "/v2/"}) {
    EXPECT_EQ(harness.get(path).body,
              R"({"name":"t","version":"9","extensions":["binary_tensor_data","classification",)"
              R"("model_configuration","schedule_policy","statistics"]})");
  }
}

TEST_F(V2Handlers, models_are_listed) {
  EXPECT_EQ(harness.get("/v2/models").body, R"({"models":["b","m"]})");
}

TEST_F(V2Handlers, a_model_is_described_and_ready) {
  EXPECT_THAT(harness.get("/v2/models/m").body, HasSubstr(R"("shape":[-1,2])"));
  EXPECT_EQ(harness.get("/v2/models/m/versions/1").body, harness.get("/v2/models/m").body);
  EXPECT_EQ(harness.get("/v2/models/m/ready").body, R"({"name":"m","ready":true})");
  harness.state.ready = false;
  EXPECT_EQ(harness.get("/v2/models/m/ready").status, 503);
}

TEST_F(V2Handlers, configuration_and_statistics_are_there_for_a_model_and_all) {
  EXPECT_THAT(harness.get("/v2/models/m/config").body, HasSubstr(R"("max_batch_size":4)"));
  EXPECT_THAT(harness.get("/v2/models/m/versions/1/stats").body,
              HasSubstr(R"({"model_stats":[{"name":"m","version":"1")"));
  EXPECT_THAT(harness.get("/v2/models/stats").body, HasSubstr(R"("name":"b","version":"1")"));
  EXPECT_EQ(harness.get("/v2/models/x/config").status, 404);
}

}  // namespace
}  // namespace maas
