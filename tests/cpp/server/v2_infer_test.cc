// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_infer.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

struct V2Infer : ::testing::Test {
  V2Infer() {
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
  HttpResponse binary(std::string_view body, const std::string& length) {
    return harness.call(Method::kPost, "/v2/models/m/infer", body,
                        {{"Inference-Header-Content-Length", length}});
  }

  testing::Harness harness;
};

TEST_F(V2Infer, inference_answers_rows_with_rows) {
  const HttpResponse response = infer("[2,2]", "[[1,2],[3,4]]");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.headers, "X-Model-Version: 1\r\n");
  EXPECT_EQ(response.body, R"({"model_name":"m","model_version":"1","outputs":[{"name":"y",)"
                           R"("shape":[2,2],"datatype":"FP32","data":[2.0,3.0,4.0,5.0]}]})");
}

TEST_F(V2Infer, the_id_comes_back) {
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"id":"a\"b","outputs":[{"name":"y"}])").body,
              HasSubstr(R"("model_version":"1","id":"a\"b","outputs":[{"name":"y")"));
}

TEST_F(V2Infer, a_version_can_be_named) {
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]})";
  EXPECT_EQ(harness.post("/v2/models/b/versions/1/infer", body).status, 200);
  EXPECT_EQ(harness.post("/v2/models/b/versions/2/infer", body).status, 404);
}

TEST_F(V2Infer, what_does_not_suit_the_model_is_400_and_named) {
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

TEST_F(V2Infer, more_rows_than_a_batch_may_have_are_answered_together) {
  const HttpResponse many = infer("[5,2]", "[1,2,3,4,5,6,7,8,9,0]");
  EXPECT_EQ(many.status, 200);
  EXPECT_THAT(many.body, HasSubstr(R"("shape":[5,2])"));
  EXPECT_THAT(many.body, HasSubstr("[2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,1.0]"));
}

TEST_F(V2Infer, a_model_that_fails_is_500_and_the_next_request_is_answered) {
  const HttpResponse failed = infer("[1,2]", "[13,0]");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, HasSubstr(R"("error":)"));
  EXPECT_EQ(infer("[1,2]", "[1,2]").status, 200);
}

TEST_F(V2Infer, clients_without_a_content_type_are_understood) {
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
  EXPECT_EQ(status({{"Content-Encoding", "br"}}), 415);
  EXPECT_EQ(status({{"Accept", "text/html"}}), 406);
  EXPECT_EQ(status({{"Accept", "text/html, application/*;q=0.1"}}), 200);
}

TEST_F(V2Infer, wrong_urgency_is_400_and_named) {
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"parameters":{"timeout":"soon"})").body,
              HasSubstr("'timeout' must be a whole number of microseconds"));
  EXPECT_THAT(infer("[1,2]", "[1,2]", R"(,"parameters":{"priority":-1})").body,
              HasSubstr("'priority' must be a whole number from 1"));
  const HttpResponse response =
      harness.call(Method::kPost, "/v2/models/m/infer", "{}", {{"X-Request-Timeout-Ms", "never"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("X-Request-Timeout-Ms"));
}

TEST_F(V2Infer, shortest_timeout_and_the_priority_reach_the_request) {
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

TEST(V2InferLimits, inputs_larger_than_the_limit_are_413) {
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

// The bytes of the floats 1 and 2.
std::string one_two() {
  return {"\0\0\x80\x3F\0\0\0\x40", 8};
}

TEST_F(V2Infer, a_binary_tensor_is_answered_in_the_form_that_is_asked) {
  const std::string json = R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32",)"
                           R"("parameters":{"binary_data_size":8}}]})";
  const std::string length = std::to_string(json.size());
  const HttpResponse answer = binary(json + one_two(), length);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_THAT(answer.body, HasSubstr("[2.0,3.0]"));
  EXPECT_EQ(binary(json + one_two() + "x", length).status, 400);
  EXPECT_EQ(binary(json + one_two(), "1000").status, 400);
  EXPECT_EQ(binary(json + one_two(), "-1").status, 400);
  EXPECT_EQ(binary(json + one_two(), "x").status, 400);
}

TEST_F(V2Infer, a_raw_request_is_answered_with_raw_outputs) {
  const HttpResponse answer = binary(one_two() + one_two(), "0");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/octet-stream");
  EXPECT_THAT(answer.body, HasSubstr(R"("shape":[2,2])"));
  EXPECT_TRUE(answer.body.ends_with(std::string("\0\0\0\x40\0\0\x40\x40", 8)));
  EXPECT_EQ(binary("123456789", "0").status, 400);
}

TEST_F(V2Infer, an_output_without_the_form_that_is_asked_is_refused_before_the_model_runs) {
  Catalog catalog;
  Signature half = testing::floats({2});
  half.outputs[0].dtype = DType::kFloat16;
  const auto served = harness.serve("h", std::make_shared<testing::AddOne>(half));
  catalog.models = {served};
  harness.publish(std::move(catalog));
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})";
  EXPECT_THAT(harness.post("/v2/models/h/infer", body).body, HasSubstr("FP16"));
  EXPECT_EQ(served->batcher().stats().requests.value(), 0U);
}

}  // namespace
}  // namespace maas
