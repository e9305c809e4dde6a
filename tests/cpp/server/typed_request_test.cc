// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_request.h"

#include <random>
#include <string>
#include <vector>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct TypedRequest : ::testing::Test {
  TypedRequest() {
    endpoint.model = harness.serve("m", std::make_shared<testing::Texts>(3, ""));
    endpoint.fields = {{"x", DType::kFloat32, Shape{2}, true},
                       {"text", std::nullopt, {}, true},
                       {"more", std::nullopt, {}, false}};
  }
  std::vector<Tensor> read(std::string_view body, std::size_t max_bytes = 1000) const {
    std::vector<Tensor> inputs;
    read_typed_request(body, endpoint, max_bytes, inputs);
    return inputs;
  }
  Error refusal(std::string_view body, std::size_t max_bytes = 1000) const {
    try {
      read(body, max_bytes);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "accepted: " << body;
    return {ErrorCode::kInternal, ""};
  }

  testing::Harness harness;
  EndpointSpec endpoint;
};

TEST_F(TypedRequest, tensors_get_a_leading_row_and_json_keeps_its_text) {
  const auto inputs = read(R"( {"text" : {"a": [1, "\u00e9"]} ,"x":[1, 2.5]} )");
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[0].shape(), (Shape{1, 2}));
  EXPECT_THAT(inputs[0].values<float>(), ElementsAre(1.0F, 2.5F));
  EXPECT_THAT(inputs[1].strings(), ElementsAre(R"({"a": [1, "\u00e9"]})"));
  EXPECT_THAT(inputs[2].strings(), ElementsAre(""));
}

TEST_F(TypedRequest, a_model_without_a_batch_dimension_gets_the_shape_itself) {
  Signature whole = testing::floats(Shape{2});
  whole.batch_dim = false;
  endpoint.model = harness.serve("whole", std::make_shared<testing::AddOne>(whole), 1);
  endpoint.fields.resize(1);
  EXPECT_EQ(read(R"({"x":[1,2]})")[0].shape(), Shape{2});
}

TEST_F(TypedRequest, all_problems_are_told_at_once) {
  const Error error = refusal(R"({"x":[1],"extra":null,"y\n":0})");
  EXPECT_EQ(error.code(), ErrorCode::kUnprocessable);
  EXPECT_EQ(error.detail(), R"([{"loc":["body","x"],)"
                            R"("msg":"has fewer than 2 elements where its shape [2] wants them",)"
                            R"("type":"tensor_shape"},)"
                            R"({"loc":["body","extra"],"msg":"is no field of this endpoint",)"
                            R"("type":"extra_forbidden"},)"
                            R"({"loc":["body","y\n"],"msg":"is no field of this endpoint",)"
                            R"("type":"extra_forbidden"},)"
                            R"({"loc":["body","text"],"msg":"is required","type":"missing"}])");
}

TEST_F(TypedRequest, tensor_problems_have_their_types) {
  const auto type_of = [&](const std::string& x) {
    return refusal(R"({"text":1,"x":)" + x + "}").detail();
  };
  EXPECT_THAT(type_of("[1,null]"), HasSubstr("tensor_type"));
  EXPECT_THAT(type_of("\"text\""), HasSubstr("must be an array"));
  EXPECT_THAT(type_of("[[1,2]]"), HasSubstr("tensor_shape"));
  EXPECT_THAT(type_of("[1,1e39]"), HasSubstr("tensor_range"));
}

TEST_F(TypedRequest, a_body_that_is_no_object_is_unprocessable) {
  for (const char* body : {"[]", "1", "null", "\"a\""}) {
    const Error error = refusal(body);
    EXPECT_EQ(error.code(), ErrorCode::kUnprocessable);
    EXPECT_THAT(error.detail(), HasSubstr(R"({"loc":["body"],)"));
  }
}

TEST_F(TypedRequest, a_body_that_is_no_json_is_malformed) {
  for (const char* body :
       {"", "{", "[1", R"({"x":[1,2],"text":})", R"({"x":[1,2]} 1)", "nul",
        R"({"x":[1,2,],"text":1})", R"({"text":[tru],"x":[1,2]})", R"({"other":[01]})"}) {
    const Error error = refusal(body);
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << body;
    EXPECT_TRUE(error.detail().empty());
  }
}

TEST_F(TypedRequest, repeated_keys_are_refused_also_escaped_ones) {
  EXPECT_THAT(refusal(R"({"x":[1,2],"\u0078":[1,2],"text":1})").message(),
              HasSubstr("'x' appears twice"));
}

TEST_F(TypedRequest, problems_that_are_listed_are_bounded) {
  std::string body = "{\"a\":0";
  for (int i = 0; i < 100000; ++i) {
    body += ",\"" + std::string(100, 'k') + std::to_string(i) + "\":0";
  }
  EXPECT_LT(refusal(body + "}").detail().size(), 8000U);
}

TEST_F(TypedRequest, tensors_that_would_take_too_much_memory_are_too_large) {
  EXPECT_EQ(read(R"({"x":[1,2],"text":1})", 8).size(), 3U);
  EXPECT_EQ(refusal(R"({"x":[1,2],"text":1})", 7).code(), ErrorCode::kTooLarge);
}

TEST_F(TypedRequest, a_damaged_body_is_read_or_refused) {
  endpoint.fields[0].row = Shape{-1, 2};
  const std::string whole = R"({"x":[[1.5,2],[3e1,-4]],"text":{"a":"\uD83D\uDE00"},"more":null})";
  const std::string bytes = "\"\\{}[]:,-+.eE019ntfu \n\x01\x7F\xC3\xFF";
  std::minstd_rand random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string body = whole;
    for (int change = 0; change <= i % 3; ++change) {
      body[random() % body.size()] = bytes[random() % bytes.size()];
      body.erase(random() % body.size(), random() % 3);
    }
    try {
      read(body);
    } catch (const Error& error) {
      ASSERT_NE(error.code(), ErrorCode::kInternal) << body;
    }
  }
}

TEST_F(TypedRequest, one_problem_of_the_body_has_a_form_of_its_own) {
  EXPECT_EQ(body_problem("a\"b", "kind"), R"([{"loc":["body"],"msg":"a\"b","type":"kind"}])");
}

}  // namespace
}  // namespace maas
