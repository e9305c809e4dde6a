// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_response.h"

#include <cmath>
#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

Signature signature() {
  return Signature{.inputs = {{"x", DType::kFloat32, Shape{2}}, {"t", DType::kBytes, Shape{}}},
                   .outputs = {{.name = "y", .row = Shape{2}, .labels = {"one", "two"}},
                               {"t\"", DType::kBytes, Shape{-1}}}};
}

struct V2Response : ::testing::Test {
  static std::vector<Tensor> outputs(float value) {
    Tensor y = Tensor::allocate(DType::kFloat32, Shape{1, 2});
    y.mutable_values<float>()[0] = value;
    y.mutable_values<float>()[1] = 2;
    return {y, Tensor::from_strings({"a\n"}, Shape{1, 1})};
  }
  std::string response(const InferOptions& options, float value = 0.5F) {
    whole.clear();
    write_infer_response(*model, options, outputs(value), whole);
    return whole.body;
  }

  HttpResponse whole;
  testing::Harness harness;
  std::shared_ptr<ServedModel> model =
      harness.serve("m", std::make_shared<testing::AddOne>(signature()));
};

TEST_F(V2Response, it_names_the_model_and_holds_every_output) {
  EXPECT_EQ(response({}), R"({"model_name":"m","model_version":"1","outputs":[)"
                          R"({"name":"y","shape":[1,2],"datatype":"FP32","data":[0.5,2.0]},)"
                          R"({"name":"t\"","shape":[1,1],"datatype":"BYTES","data":["a\n"]}]})");
}

TEST_F(V2Response, it_echoes_the_id_and_holds_the_outputs_asked_for) {
  EXPECT_EQ(response({.id = "7\"", .outputs = {{.index = 1}}}),
            R"({"model_name":"m","model_version":"1","id":"7\"","outputs":[)"
            R"({"name":"t\"","shape":[1,1],"datatype":"BYTES","data":["a\n"]}]})");
}

TEST_F(V2Response, values_that_json_cannot_express_name_the_output) {
  try {
    response({}, NAN);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.message(),
              "output 'y' holds NaN or infinity, which JSON cannot express; ask for it with "
              "\"binary_data\": true");
  }
}

TEST_F(V2Response, binary_outputs_follow_the_json_in_its_order) {
  const std::string json =
      R"({"model_name":"m","model_version":"1","outputs":[)"
      R"({"name":"t\"","shape":[1,1],"datatype":"BYTES","parameters":{"binary_data_size":6}},)"
      R"({"name":"y","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]})";
  const std::string body =
      response({.outputs = {{.index = 1}, {.index = 0}}, .binary_output = true});
  EXPECT_EQ(whole.content_type, "application/octet-stream");
  EXPECT_EQ(whole.headers,
            "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
  EXPECT_EQ(body, json + std::string("\2\0\0\0a\n\0\0\0\x3F\0\0\0\x40", 14));
}

TEST_F(V2Response, an_output_says_itself_whether_it_is_binary) {
  response({.outputs = {{.index = 0, .binary = false}}, .binary_output = true});
  EXPECT_EQ(whole.content_type, "application/json");
  EXPECT_NE(response({.outputs = {{.index = 0, .binary = true}, {.index = 1}}}, NAN)
                .find(R"("datatype":"BYTES","data":["a\n"])"),
            std::string::npos);
  EXPECT_EQ(whole.content_type, "application/octet-stream");
}

TEST_F(V2Response, a_large_tensor_stays_where_the_model_wrote_it) {
  const Tensor big = Tensor::zeros(DType::kFloat32, Shape{1, 10000});
  write_infer_response(*model, {.outputs = {{.index = 0}}, .binary_output = true}, {big}, whole);
  ASSERT_EQ(whole.tensors.size(), 1U);
  EXPECT_EQ(whole.tensors[0].data(), big.data());
  EXPECT_EQ(whole.body_size(), whole.body.size() + 40000);
}

TEST_F(V2Response, classes_take_the_place_of_values) {
  EXPECT_EQ(response({.outputs = {{.index = 0, .classes = 1}}}),
            R"({"model_name":"m","model_version":"1","outputs":[)"
            R"({"name":"y","shape":[1,1],"datatype":"BYTES","data":["2:1:two"]}]})");
}

TEST_F(V2Response, metadata_tells_shapes_on_the_wire_and_all_versions) {
  Catalog catalog;
  catalog.models = {
      model, harness.engine.serve({"other", 1}, std::make_shared<testing::AddOne>(signature()), {}),
      harness.engine.serve({"m", 4}, std::make_shared<testing::AddOne>(signature()), {})};
  std::string body;
  write_model_metadata(*model, catalog, body);
  EXPECT_EQ(body, R"({"name":"m","versions":["1","4"],"platform":"test","inputs":[)"
                  R"({"name":"x","datatype":"FP32","shape":[-1,2]},)"
                  R"({"name":"t","datatype":"BYTES","shape":[-1]}],"outputs":[)"
                  R"({"name":"y","datatype":"FP32","shape":[-1,2]},)"
                  R"({"name":"t\"","datatype":"BYTES","shape":[-1,-1]}]})");
}

}  // namespace
}  // namespace maas
