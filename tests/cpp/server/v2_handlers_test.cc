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
  HttpResponse infer(const std::string& shape,
                     const std::string& data,
                     const std::string& more = "") {
    return harness.post("/v2/models/m/infer", R"({"inputs":[{"name":"x","shape":)" + shape +
                                                  R"(,"datatype":"FP32","data":)" + data + "}]" +
                                                  more + "}");
  }

  testing::Harness harness;
};

TEST_F(V2Handlers, the_server_tells_its_name) {
  for (const char* path : {"/v2", "/v2/"}) {
    EXPECT_EQ(harness.get(path).body, R"({"name":"t","version":"9","extensions":[]})");
  }
}

TEST_F(V2Handlers, models_are_listed) {
  EXPECT_EQ(harness.get("/v2/models").body, R"({"models":["b","m"]})");
  const std::string index = R"([{"name":"m","version":"1","state":"READY","reason":""},)"
                            R"({"name":"b","version":"1","state":"READY","reason":""}])";
  EXPECT_EQ(harness.post("/v2/repository/index", "").body, index);
  EXPECT_EQ(harness.post("/v2/repository/index", R"({"ready":true})").body, index);
  EXPECT_EQ(harness.post("/v2/repository/index", "[").status, 400);
}

TEST_F(V2Handlers, a_model_is_described_and_ready) {
  EXPECT_THAT(harness.get("/v2/models/m").body, HasSubstr(R"("shape":[-1,2])"));
  EXPECT_EQ(harness.get("/v2/models/m/versions/1").body, harness.get("/v2/models/m").body);
  EXPECT_EQ(harness.get("/v2/models/m/ready").body, R"({"name":"m","ready":true})");
  harness.state.ready = false;
  EXPECT_EQ(harness.get("/v2/models/m/ready").status, 503);
}

TEST_F(V2Handlers, inference_answers_rows_with_rows) {
  const HttpResponse response = infer("[2,2]", "[[1,2],[3,4]]");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"model_name":"m","model_version":"1","outputs":[{"name":"y",)"
                           R"("shape":[2,2],"datatype":"FP32","data":[2.0,3.0,4.0,5.0]}]})");
}

TEST_F(V2Handlers, the_id_comes_back) {
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"id":"a\"b","outputs":[{"name":"y"}])").body,
              HasSubstr(R"("model_version":"1","id":"a\"b","outputs":[{"name":"y")"));
}

TEST_F(V2Handlers, a_version_can_be_named) {
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]})";
  EXPECT_EQ(harness.post("/v2/models/b/versions/1/infer", body).status, 200);
  EXPECT_EQ(harness.post("/v2/models/b/versions/2/infer", body).status, 404);
}

TEST_F(V2Handlers, what_does_not_suit_the_model_is_400_and_named) {
  EXPECT_THAT(infer("[1,3]", "[1,2,3]").body, HasSubstr("[1, 3]"));
  EXPECT_THAT(infer("[2]", "[1,2]").body, HasSubstr("[2]"));
  EXPECT_THAT(infer("[0,2]", "[]").body, HasSubstr("no rows"));
  const HttpResponse dtype =
      harness.post("/v2/models/m/infer",
                   R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2]}]})");
  EXPECT_EQ(dtype.status, 400);
  EXPECT_THAT(dtype.body, HasSubstr("FP64"));
  EXPECT_EQ(dtype.content_type, "application/json");
}

TEST_F(V2Handlers, more_rows_than_a_batch_may_have_are_answered_together) {
  const HttpResponse many = infer("[5,2]", "[1,2,3,4,5,6,7,8,9,0]");
  EXPECT_EQ(many.status, 200);
  EXPECT_THAT(many.body, HasSubstr(R"("shape":[5,2])"));
  EXPECT_THAT(many.body, HasSubstr("[2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,1.0]"));
}

TEST_F(V2Handlers, a_model_that_fails_is_500_and_the_next_request_is_answered) {
  const HttpResponse failed = infer("[1,2]", "[13,0]");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, HasSubstr(R"("error":)"));
  EXPECT_EQ(infer("[1,2]", "[1,2]").status, 200);
}

TEST_F(V2Handlers, clients_without_a_content_type_are_understood) {
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})";
  const std::string length = std::to_string(body.size());
  const auto status = [&](const std::vector<Header>& headers) {
    return harness.call(Method::kPost, "/v2/models/m/infer", body, headers).status;
  };
  EXPECT_EQ(status({}), 200);
  EXPECT_EQ(status({{"Content-Type", "application/json"}}), 200);
  EXPECT_EQ(status({{"Content-Type", "application/octet-stream"}}), 200);
  EXPECT_EQ(status({{"Inference-Header-Content-Length", length}}), 200);
  EXPECT_EQ(status({{"Content-Type", "text/plain"}}), 415);
  EXPECT_EQ(status({{"Content-Encoding", "gzip"}}), 415);
  const HttpResponse binary = harness.call(Method::kPost, "/v2/models/m/infer", body,
                                           {{"inference-header-content-length", "7"}});
  EXPECT_EQ(binary.status, 400);
  EXPECT_THAT(binary.body, HasSubstr("binary tensor data"));
}

TEST_F(V2Handlers, wrong_urgency_is_400_and_named) {
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"parameters":{"timeout":"soon"})").body,
              HasSubstr("'timeout' must be a whole number of microseconds"));
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"parameters":{"priority":-1})").body,
              HasSubstr("'priority' must be a whole number from 1"));
  const HttpResponse response =
      harness.call(Method::kPost, "/v2/models/m/infer", "{}", {{"X-Request-Timeout-Ms", "never"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("X-Request-Timeout-Ms"));
}

TEST_F(V2Handlers, shortest_timeout_and_the_priority_reach_the_request) {
  const auto& request = [this]() -> const Request& { return harness.kept->request; };
  const auto allowed = [&] { return request().deadline.at() - harness.kept->arrived; };
  infer("[1,2]", "[1,2]");
  EXPECT_EQ(allowed(), harness.options.request_timeout);
  EXPECT_EQ(request().priority, kDefaultPriority);
  infer("[1,2]", "[1,2]", R"(,"parameters":{"timeout":9000000,"priority":2})");
  EXPECT_EQ(allowed(), std::chrono::seconds(9));
  EXPECT_EQ(request().priority, 2);
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],)"
      R"("parameters":{"timeout":9000000}})";
  harness.call(Method::kPost, "/v2/models/m/infer", body,
               {{"X-Request-Timeout-Ms", "8000.5"}, {"X-Request-Priority", "1"}});
  EXPECT_EQ(allowed(), std::chrono::microseconds(8000500));
  EXPECT_EQ(request().priority, 1);
}

TEST(V2Limits, inputs_larger_than_the_limit_are_413) {
  ServerOptions options;
  options.limits.body = 7;
  testing::Harness small(options);
  Catalog catalog;
  catalog.models = {small.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})))};
  small.publish(std::move(catalog));
  const HttpResponse response =
      small.post("/v2/models/m/infer",
                 R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})");
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("input 'x' would take 8 bytes"));
}

}  // namespace
}  // namespace maas
