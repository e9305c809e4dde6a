// SPDX-License-Identifier: Apache-2.0
#include "maas/server/typed_request.h"

#include <algorithm>
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
    return read_as("", body, max_bytes);
  }
  // With a query behind a '?' after the media type.
  std::vector<Tensor> read_as(std::string_view type,
                              std::string_view body,
                              std::size_t max_bytes = 1000) const {
    const auto mark = std::min(type.find('?'), type.size());
    const std::vector<Header> headers = {{"Content-Type", type.substr(0, mark)}};
    HttpRequest http;
    http.method = Method::kPost;
    http.path = "/";
    http.query = type.substr(std::min(mark + 1, type.size()));
    http.headers = headers;
    http.body = body;
    std::vector<Tensor> inputs;
    read_typed_request(body_kind(http, endpoint), http, endpoint, max_bytes, inputs);
    return inputs;
  }
  Error refusal_as(std::string_view type, std::string_view body) const {
    try {
      read_as(type, body);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "accepted: " << type;
    return {ErrorCode::kInternal, ""};
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

TEST_F(TypedRequest, other_media_types_are_415_where_no_field_takes_media) {
  for (const char* type : {"text/plain", "multipart/form-data; boundary=B", "image/png",
                           "application/json; charset=latin1"}) {
    const Error error = refusal_as(type, "{}");
    EXPECT_EQ(error.http_status(), 415) << type;
    EXPECT_THAT(error.message(), HasSubstr("send application/json"));
  }
}

struct MediaRequest : TypedRequest {
  MediaRequest() {
    endpoint.fields = {{"image", std::nullopt, {}, true, {"image/*", "text/csv"}},
                       {"x", DType::kFloat32, Shape{2}, false},
                       {"top", std::nullopt, {}, false}};
    endpoint.fields[1].required = true;
  }
};

TEST_F(MediaRequest, json_is_read_as_ever) {
  EXPECT_THAT(read(R"({"image":"aGk=","x":[1,2]})")[0].strings(), ElementsAre("\"aGk=\""));
}

TEST_F(MediaRequest, a_form_has_a_part_for_each_field) {
  const auto inputs = read_as(
      "multipart/form-data; boundary=\"B\"",
      "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n[1,2]\r\n"
      "--B\r\nContent-Disposition: form-data; name=\"top\"\r\nContent-Type: application/json\r\n"
      "\r\n3\r\n--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n"
      "Content-Type: image/png\r\n\r\n\x89\r\n--B--\r\n");
  const auto image = unpack_parts(inputs[0].strings().front());
  ASSERT_EQ(image.size(), 1U);
  EXPECT_EQ(image[0].form, FieldPart::Form::kFile);
  EXPECT_EQ(image[0].data, "\x89");
  EXPECT_EQ(image[0].filename, "a.png");
  EXPECT_EQ(image[0].content_type, "image/png");
  EXPECT_THAT(inputs[1].values<float>(), ElementsAre(1.0F, 2.0F));
  EXPECT_EQ(unpack_parts(inputs[2].strings().front())[0].form, FieldPart::Form::kJson);
}

TEST_F(MediaRequest, a_file_that_nobody_chose_is_absent) {
  const Error error = refusal_as(
      "multipart/form-data; boundary=B",
      "--B\r\nContent-Disposition: form-data; name=\"image\"; filename=\"\"\r\n\r\n\r\n--B--");
  EXPECT_THAT(error.detail(), HasSubstr(R"(["body","image"],"msg":"is required")"));
}

TEST_F(MediaRequest, a_form_of_pairs_is_text) {
  const auto inputs = read_as("application/x-www-form-urlencoded", "image=a%2B&x=[1,2]");
  EXPECT_EQ(unpack_parts(inputs[0].strings().front())[0].data, "a+");
}

TEST_F(MediaRequest, a_body_of_its_type_is_the_field_and_the_query_the_others) {
  const auto inputs = read_as("IMAGE/jpeg; q=1?x=%5B1,2%5D&top=3", "\xFF\xD8");
  const auto image = unpack_parts(inputs[0].strings().front());
  EXPECT_EQ(image[0].data, "\xFF\xD8");
  EXPECT_EQ(image[0].content_type, "IMAGE/jpeg; q=1");
  EXPECT_EQ(unpack_parts(inputs[2].strings().front())[0].form, FieldPart::Form::kQuery);
  EXPECT_THAT(refusal_as("image/png?y=1", "1").detail(), HasSubstr(R"(["query","y"])"));
}

TEST_F(MediaRequest, other_bodies_are_415_that_says_what_is_taken) {
  for (const char* type : {"text/plain", "*/*", "image/", "imagejpeg"}) {
    const Error error = refusal_as(type, "1");
    EXPECT_EQ(error.http_status(), 415) << type;
    EXPECT_THAT(error.message(), HasSubstr("takes application/json, multipart/form-data, "
                                           "application/x-www-form-urlencoded, image/*, text/csv"));
  }
}

TEST_F(MediaRequest, a_body_that_two_fields_might_be_is_415) {
  endpoint.fields[2].media = {"text/csv"};
  const Error error = refusal_as("text/csv", "1");
  EXPECT_EQ(error.http_status(), 415);
  EXPECT_THAT(error.message(), ::testing::Not(HasSubstr("text/csv,")));
}

TEST_F(MediaRequest, a_form_without_a_boundary_is_malformed) {
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary=",
                           "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary"}) {
    const Error error = refusal_as(type, "--B--");
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("boundary"));
  }
}

}  // namespace
}  // namespace maas
