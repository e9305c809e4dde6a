// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_repository.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

struct V2Repository : ::testing::Test {
  void publish(std::shared_ptr<ServedModel> control) {
    Catalog catalog;
    catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})))};
    catalog.unloaded = {{"gone", 3}};
    catalog.control = std::move(control);
    harness.publish(std::move(catalog));
  }
  std::shared_ptr<ServedModel> echo() {
    return harness.serve("control", std::make_shared<testing::Texts>(3, ""));
  }

  testing::Harness harness;
};

TEST_F(V2Repository, the_index_tells_what_is_loaded_and_what_could_be) {
  publish(nullptr);
  const std::string ready = R"({"name":"m","version":"1","state":"READY","reason":""})";
  const std::string gone =
      R"({"name":"gone","version":"3","state":"UNAVAILABLE","reason":"unloaded"})";
  EXPECT_EQ(harness.post("/v2/repository/index", "").body, "[" + ready + "," + gone + "]");
  EXPECT_EQ(harness.post("/v2/repository/index", R"({"ready":true})").body, "[" + ready + "]");
  EXPECT_EQ(harness.post("/v2/repository/index", "[").status, 400);
  EXPECT_EQ(harness.post("/v2/repository/index", R"({"ready":1})").status, 400);
}

TEST_F(V2Repository, a_model_that_is_unloaded_is_unavailable) {
  publish(nullptr);
  EXPECT_EQ(harness.get("/v2/models/gone/ready").status, 503);
  EXPECT_EQ(harness.get("/v2/models/other/ready").status, 404);
}

TEST_F(V2Repository, nobody_controls_a_server_that_does_not_let_them) {
  publish(nullptr);
  EXPECT_EQ(harness.post("/v2/repository/models/m/load", "").status, 403);
  EXPECT_THAT(harness.get("/v2").body, Not(HasSubstr("model_repository")));
}

TEST_F(V2Repository, load_and_unload_are_done_by_whoever_is_in_control) {
  publish(echo());
  const HttpResponse load = harness.post("/v2/repository/models/a%2Db/load", "");
  EXPECT_EQ(load.status, 200);
  EXPECT_EQ(load.body, "");
  EXPECT_EQ(harness
                .post("/v2/repository/models/m/unload",
                      R"({"parameters":{"unload_dependents":false},"more":1})")
                .status,
            200);
  EXPECT_THAT(harness.get("/v2").body, HasSubstr("\"model_repository\""));
}

TEST_F(V2Repository, what_is_no_such_request_is_refused) {
  publish(echo());
  EXPECT_EQ(harness.post("/v2/repository/models/..%2fm/load", "").status, 404);
  EXPECT_EQ(harness.post("/v2/repository/models/-m/load", "").status, 400);
  EXPECT_EQ(harness.post("/v2/repository/models/m/load", R"({"parameters":1})").status, 400);
  EXPECT_EQ(harness.post("/v2/repository/models/m/load", "{").status, 400);
  EXPECT_EQ(harness.post("/v2/repository/models/m/reload", "").status, 404);
  EXPECT_EQ(harness.get("/v2/repository/models/m/load").status, 405);
  const HttpResponse form = harness.call(Method::kPost, "/v2/repository/models/m/unload", "",
                                         {{"Content-Type", "text/plain"}});
  EXPECT_EQ(form.status, 415);
}

}  // namespace
}  // namespace maas
