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
  return Signature{
      .inputs = {{"x", DType::kFloat32, Shape{2}}, {"t", DType::kBytes, Shape{}}},
      .outputs = {{"y", DType::kFloat32, Shape{2}}, {"t\"", DType::kBytes, Shape{-1}}}};
}

struct V2Response : ::testing::Test {
  static std::vector<Tensor> outputs(float value) {
    Tensor y = Tensor::allocate(DType::kFloat32, Shape{1, 2});
    y.mutable_values<float>()[0] = value;
    y.mutable_values<float>()[1] = 2;
    return {y, Tensor::from_strings({"a\n"}, Shape{1, 1})};
  }
  std::string response(const InferOptions& options, float value = 0.5F) {
    std::string body;
    write_infer_response(*model, options, outputs(value), body);
    return body;
  }

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
  EXPECT_EQ(response({.id = R"("7\u00e9")", .outputs = {1}}),
            R"({"model_name":"m","model_version":"1","id":"7\u00e9","outputs":[)"
            R"({"name":"t\"","shape":[1,1],"datatype":"BYTES","data":["a\n"]}]})");
}

TEST_F(V2Response, values_that_json_cannot_express_name_the_output) {
  try {
    response({}, NAN);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.message(), "output 'y' holds NaN or infinity, which JSON cannot express");
  }
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
