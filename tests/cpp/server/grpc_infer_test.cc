// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_infer.h"

#include <chrono>
#include <string>

#include "harness.h"
#include "protobuf_text.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using testing::bytes_of;
using testing::field;
using ::testing::HasSubstr;
using testing::input;
using testing::number;
using testing::parameter;

struct GrpcInferTest : ::testing::Test {
  GrpcInferTest() {
    Catalog catalog;
    catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})))};
    catalog.unloaded = {{"u", 1}};
    harness.publish(std::move(catalog));
  }
  HttpResponse infer(const std::string& message, std::vector<Header> headers = {}) {
    headers.push_back({"content-type", kProtobufType});
    return harness.call(Method::kPost, kGrpcInfer, message, headers);
  }
  static std::string request(std::string_view model, const std::string& more = "") {
    return field(1, model) + field(5, input("x", "FP32", {1, 2})) +
           field(7, bytes_of<float>({1, 2})) + more;
  }

  testing::Harness harness;
};

TEST_F(GrpcInferTest, a_message_is_answered_with_a_message) {
  const HttpResponse response = infer(request("m", field(3, "7")));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, kProtobufType);
  EXPECT_EQ(response.body, field(1, "m") + field(2, "1") + field(3, "7") +
                               field(5, input("y", "FP32", {1, 2})) +
                               field(6, bytes_of<float>({2, 3})));
  EXPECT_EQ(infer(request("m", field(2, "1"))).status, 200);
}

TEST_F(GrpcInferTest, failures_are_those_of_every_route) {
  EXPECT_EQ(infer(request("n")).status, 404);
  EXPECT_EQ(infer(request("m", field(2, "2"))).status, 404);
  EXPECT_EQ(infer(request("m", field(2, "x"))).status, 400);
  EXPECT_EQ(infer(request("u")).status, 503);
  EXPECT_EQ(infer("").status, 400);
  EXPECT_EQ(infer("\x0a").status, 400);
  const HttpResponse wrong = infer(field(1, "m"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr(R"({"error":"input 'x' is missing")"));
  EXPECT_EQ(harness.post(kGrpcInfer, request("m")).status, 415);
}

TEST_F(GrpcInferTest, the_shortest_timeout_counts) {
  const auto allowed = [&] { return harness.kept->request.deadline.at() - harness.kept->arrived; };
  infer(request("m"));
  EXPECT_EQ(allowed(), harness.options.request_timeout);
  infer(request("m", field(4, parameter("timeout", number(2, 9'000'000)))));
  EXPECT_EQ(allowed(), std::chrono::seconds(9));
  infer(request("m", field(4, parameter("timeout", number(2, 9'000'000)))),
        {{"x-request-timeout-ms", "2000"}});
  EXPECT_EQ(allowed(), std::chrono::seconds(2));
}

}  // namespace
}  // namespace maas
