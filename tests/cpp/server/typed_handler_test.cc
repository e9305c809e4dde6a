// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_handler.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct TypedHandler : ::testing::Test {
  TypedHandler() {
    Catalog catalog;
    EndpointSpec& native = catalog.endpoints.emplace_back();
    native.path = "/native";
    native.native = true;
    native.timeout = std::chrono::seconds(10);
    native.model = harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})));
    native.fields = {{"x", DType::kFloat32, Shape{2}, true}};
    native.pre = {ops::scale(0.5F, 0)};
    native.outputs = {OutputSpec{}};
    catalog.endpoints.push_back(text_endpoint("/text", ""));
    catalog.endpoints.push_back(text_endpoint("/octets", "application/octet-stream"));
    catalog.endpoints.push_back(text_endpoint("/own", "text/own; charset=utf-8"));
    catalog.endpoints.push_back(text_endpoint("/bad", "text/x\r\nEvil: 1"));
    catalog.endpoints.push_back(text_endpoint("/asking", ""));
    catalog.endpoints.back().asks_origin = true;
    catalog.endpoints.push_back(text_endpoint("/media", ""));
    catalog.endpoints.back().fields[0].media = {"image/*"};
    harness.publish(std::move(catalog));
  }
  EndpointSpec text_endpoint(const std::string& path, const std::string& type) {
    EndpointSpec endpoint;
    endpoint.path = path;
    endpoint.timeout = std::chrono::seconds(10);
    endpoint.model = harness.serve(path, std::make_shared<testing::Texts>(2, type));
    endpoint.fields = {{"f0", std::nullopt, {}, true}, {"f1", std::nullopt, {}, false}};
    return endpoint;
  }

  testing::Harness harness;
};

TEST_F(TypedHandler, a_native_endpoint_transforms_runs_and_answers) {
  const HttpResponse response = harness.post("/native", R"({"x":[2,5]})");
  EXPECT_EQ(response.headers, "X-Model-Version: 1\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, "[2.0,3.5]");
}

TEST_F(TypedHandler, a_callable_gets_texts_and_answers_bytes) {
  EXPECT_EQ(harness.post("/text", R"({"f1":[1, 2],"f0":{"a":null}})").body, R"({"a":null} [1, 2])");
  EXPECT_EQ(harness.post("/text", R"({"f0":1})").body, "1");
  EXPECT_EQ(harness.post("/text", R"({"f0":1})").content_type, "application/json");
}

TEST_F(TypedHandler, headers_say_how_soon_the_answer_is_wanted) {
  const auto call = [&](const std::vector<Header>& headers) {
    return harness.call(Method::kPost, "/native", R"({"x":[2,5]})", headers);
  };
  EXPECT_EQ(call({{"X-Request-Timeout-Ms", "9000"}, {"X-Request-Priority", "3"}}).status, 200);
  const Request& request = harness.kept->request;
  EXPECT_EQ(request.deadline.at() - harness.kept->arrived, std::chrono::seconds(9));
  EXPECT_EQ(request.priority, 3);
  const HttpResponse wrong = call({{"X-Request-Priority", "first"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr("X-Request-Priority"));
}

TEST_F(TypedHandler, a_callable_says_what_its_bytes_are) {
  EXPECT_EQ(harness.post("/octets", R"({"f0":1})").content_type, "application/octet-stream");
  EXPECT_EQ(harness.post("/own", R"({"f0":1})").content_type, "text/own; charset=utf-8");
  EXPECT_EQ(harness.post("/bad", R"({"f0":1})").status, 500);
}

TEST_F(TypedHandler, problems_with_fields_are_422_with_their_detail) {
  const HttpResponse response = harness.post("/native", R"({"y":1})");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.body, R"({"detail":[{"loc":["body","y"],"msg":"is no field of this endpoint",)"
                           R"("type":"extra_forbidden"},)"
                           R"({"loc":["body","x"],"msg":"is required","type":"missing"}]})");
  EXPECT_EQ(harness.post("/text", R"({"f0":"fail"})").body,
            R"({"detail":[{"loc":["body","f0"]}]})");
}

TEST_F(TypedHandler, other_errors_have_the_form_of_all_routes) {
  const HttpResponse malformed = harness.post("/native", R"({"x":[1,})");
  EXPECT_EQ(malformed.status, 400);
  EXPECT_THAT(malformed.body, StartsWith(R"({"error":"the body is not valid JSON)"));
  EXPECT_THAT(malformed.body, HasSubstr(R"("request_id":)"));
  EXPECT_EQ(harness.post("/native", R"({"x":[26,0]})").status, 500);
  const HttpResponse teapot = harness.post("/text", R"({"f0":"teapot"})");
  EXPECT_EQ(teapot.status, 418);
  EXPECT_THAT(teapot.body, StartsWith(R"({"error":"short and stout")"));
}

TEST_F(TypedHandler, bodies_of_other_types_are_415) {
  const auto status = [&](const Header& header) {
    return harness.call(Method::kPost, "/text", R"({"f0":1})", {header}).status;
  };
  EXPECT_EQ(status({"content-type", "application/json; charset=utf-8"}), 200);
  EXPECT_EQ(status({"content-type", "text/plain"}), 415);
  EXPECT_EQ(status({"content-encoding", "br"}), 415);
}

TEST_F(TypedHandler, the_head_goes_with_a_request_where_it_is_asked_for) {
  const auto origin = [&](const char* path) {
    harness.call(Method::kPost, path, R"({"f0":1})", {{"X-One", "1"}, {"x-one", "2"}});
    return harness.kept->request.origin;
  };
  EXPECT_EQ(origin("/text"), nullptr);
  const auto asked = origin("/asking");
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->target, "/asking");
  EXPECT_THAT(asked->headers,
              ::testing::ElementsAre(::testing::Pair("X-One", "1"), ::testing::Pair("x-one", "2")));
  harness.kept->reset();
  EXPECT_EQ(harness.kept->request.origin, nullptr);
}

TEST_F(TypedHandler, a_body_that_is_a_field_reaches_the_callable) {
  const HttpResponse response =
      harness.call(Method::kPost, "/media", "\xFF", {{"Content-Type", "image/png"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.back(), '\xFF');
  EXPECT_EQ(harness.call(Method::kPost, "/media", "1", {{"Content-Type", "text/csv"}}).status, 415);
}

TEST_F(TypedHandler, a_closed_model_is_unavailable) {
  harness.kept.reset();
  Catalog catalog = harness.state.published.load()->catalog;
  catalog.endpoints[0].model->batcher().close(Deadline::never());
  const HttpResponse response = harness.post("/native", R"({"x":[1,2]})");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, StartsWith(R"({"error":)"));
}

}  // namespace
}  // namespace maas
