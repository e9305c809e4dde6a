// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_request.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Signature two() {
  return Signature{.inputs = {{"a", DType::kFloat32, Shape{2}}, {"b", DType::kBytes, Shape{}}},
                   .outputs = {{"y", DType::kFloat32, Shape{2}}, {"z", DType::kInt64, Shape{}}}};
}

struct Read {
  std::vector<Tensor> inputs;
  InferOptions options;
};

Read read(std::string_view body, std::size_t max_bytes = 1000) {
  Read out;
  read_infer_request({body}, two(), max_bytes, out.inputs, out.options);
  return out;
}

Error refusal(std::string_view body, std::size_t max_bytes = 1000) {
  try {
    read(body, max_bytes);
  } catch (const Error& error) {
    EXPECT_LT(error.message().size(), 300U);
    return error;
  }
  ADD_FAILURE() << "accepted: " << body;
  return {ErrorCode::kInternal, ""};
}

constexpr std::string_view kA = R"({"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]})";
constexpr std::string_view kB = R"({"name":"b","shape":[1],"datatype":"BYTES","data":["t"]})";

std::string join(std::string_view first, std::string_view second) {
  return std::string(first).append(1, ',').append(second);
}

std::string with_inputs(std::string_view inputs, std::string_view more = "") {
  return std::string(R"({"inputs":[)").append(inputs).append("]").append(more).append("}");
}

TEST(V2Request, inputs_come_in_the_order_of_the_signature) {
  for (const std::string& inputs : {join(kA, kB), join(kB, kA)}) {
    const Read got = read(with_inputs(inputs));
    EXPECT_TRUE(got.options.is_default());
    ASSERT_EQ(got.inputs.size(), 2U);
    EXPECT_THAT(got.inputs[0].values<float>(), ElementsAre(1.0F, 2.0F));
    EXPECT_EQ(got.inputs[0].shape(), (Shape{1, 2}));
    EXPECT_THAT(got.inputs[1].strings(), ElementsAre("t"));
  }
}

TEST(V2Request, keys_of_an_input_come_in_any_order) {
  for (const char* a :
       {R"({"data":[1,2],"datatype":"FP32","shape":[1,2],"name":"a"})",
        R"({"shape":[1,2],"data":[[1,2]],"name":"a","datatype":"FP32"})",
        R"({"x":{},"name":"a","\u0064ata":[1,2],"datatype":"FP32","shape":[1,2]})"}) {
    EXPECT_THAT(read(with_inputs(join(a, kB))).inputs[0].values<float>(), ElementsAre(1.0F, 2.0F));
  }
}

TEST(V2Request, the_id_is_a_short_text) {
  EXPECT_EQ(read(with_inputs(join(kA, kB), R"(,"id": "a\u0041b" )")).options.id, "aAb");
  EXPECT_EQ(read(with_inputs(join(kA, kB), R"(,"id":"")")).options.id, "");
  EXPECT_THAT(refusal(with_inputs(join(kA, kB), R"(,"id":7)")).message(), HasSubstr("\"id\""));
  for (const std::string& bad : {std::string(R"(x\r\ny)"), std::string(257, 'x')}) {
    EXPECT_THAT(refusal(with_inputs(join(kA, kB), R"(,"id":")" + bad + '"')).message(),
                HasSubstr("256 characters without control"));
  }
}

TEST(V2Request, outputs_are_chosen_by_name) {
  const auto ask = [](const std::string& outputs) {
    return with_inputs(join(kA, kB), R"(,"outputs":[)" + outputs + "]");
  };
  const auto outputs =
      read(ask(R"({"name":"z"},{"name":"y","parameters":{"binary_data":false}})")).options.outputs;
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].index, 1U);
  EXPECT_FALSE(outputs[0].binary);
  EXPECT_EQ(outputs[1].index, 0U);
  EXPECT_EQ(outputs[1].binary, false);
  EXPECT_TRUE(read(ask("")).options.is_default());
  EXPECT_THAT(refusal(ask(R"({"name":"w"})")).message(), HasSubstr("no output 'w'"));
  EXPECT_THAT(refusal(ask(R"({"name":"z"},{"name":"z"})")).message(),
              HasSubstr("'z' is asked for"));
  EXPECT_THAT(refusal(ask("{}")).message(), HasSubstr("no \"name\""));
  EXPECT_THAT(refusal(ask("1")).message(), HasSubstr("must be an object"));
}

TEST(V2Request, timeout_and_priority_are_parameters_of_the_request_alone) {
  const auto urgency = [](const std::string& parameters) {
    return read(with_inputs(join(kA, kB), R"(,"parameters":)" + parameters)).options.urgency;
  };
  EXPECT_EQ(urgency(R"({"timeout":1500,"priority":2})").timeout, std::chrono::microseconds(1500));
  EXPECT_EQ(urgency(R"({"timeout":1500,"priority":2})").priority, 2);
  EXPECT_EQ(urgency(R"({"timeout":"1500"})").timeout, std::chrono::microseconds(1500));
  EXPECT_EQ(urgency(R"({"timeout":0})").timeout, Duration::max());
  EXPECT_THAT(refusal(with_inputs(join(kA, kB), R"(,"parameters":{"timeout":-1})")).message(),
              HasSubstr("'timeout'"));
  const std::string input =
      R"({"name":"b","shape":[1],"datatype":"BYTES","data":["t"],"parameters":{"timeout":"x"}})";
  EXPECT_EQ(read(with_inputs(join(kA, input))).options.urgency.timeout, Duration::max());
}

TEST(V2Request, unknown_keys_and_parameters_are_passed_over) {
  EXPECT_EQ(read(R"({"model_name":"m","parameters":{"priority":1},"inputs":[)" + join(kA, kB) +
                 R"(],"more":[{"deep":[null]}]})")
                .inputs.size(),
            2U);
}

TEST(V2Request, forms_of_data_that_do_not_exist_are_refused_by_name) {
  EXPECT_THAT(
      refusal(with_inputs(R"({"name":"a","parameters":{"shared_memory_region":"r"}})")).message(),
      HasSubstr("shared memory"));
  EXPECT_THAT(refusal(with_inputs(R"({"name":"a","shape":[1,2],"datatype":"FP32",
                              "parameters":{"binary_data_size":8}})"))
                  .message(),
              HasSubstr("Inference-Header-Content-Length"));
  for (const char* half : {"FP16", "BF16"}) {
    EXPECT_THAT(refusal(with_inputs(std::string(R"({"name":"a","shape":[1,2],"datatype":")") +
                                    half + R"(","data":[1,2]})"))
                    .message(),
                HasSubstr("cannot be sent as JSON; send it as binary data"));
  }
}

std::string binary_input(std::string_view name, std::string_view about, std::size_t size) {
  return R"({"name":")" + std::string(name) + "\"," + std::string(about) +
         R"(,"parameters":{"binary_data_size":)" + std::to_string(size) + "}}";
}
std::string binary_a() {
  return binary_input("a", R"("shape":[1,2],"datatype":"FP32")", 8);
}
std::string binary_b() {
  return binary_input("b", R"("shape":[1],"datatype":"BYTES")", 5);
}
std::string bytes_a() {
  return {"\0\0\x80\x3F\0\0\0\x40", 8};
}
std::string bytes_b() {
  return {"\1\0\0\0t", 5};
}

Read read_binary(const std::string& json, const std::string& tensors) {
  Read out;
  read_infer_request({json, tensors, true}, two(), 1000, out.inputs, out.options);
  return out;
}

std::string binary_refusal(const std::string& json, const std::string& tensors) {
  try {
    read_binary(json, tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "accepted";
}

TEST(V2Request, binary_tensors_follow_the_json_in_the_order_of_its_inputs) {
  for (const Read& got :
       {read_binary(with_inputs(join(binary_b(), binary_a())), bytes_b() + bytes_a()),
        read_binary(with_inputs(join(binary_a(), kB)), bytes_a()),
        read_binary(with_inputs(join(kA, binary_b())), bytes_b())}) {
    EXPECT_THAT(got.inputs[0].values<float>(), ElementsAre(1.0F, 2.0F));
    EXPECT_THAT(got.inputs[1].strings(), ElementsAre("t"));
  }
}

TEST(V2Request, binary_sizes_that_do_not_add_up_are_refused) {
  const std::string both = with_inputs(join(binary_a(), binary_b()));
  EXPECT_THAT(binary_refusal(both, bytes_a() + bytes_b() + "x"),
              HasSubstr("1 bytes behind the JSON"));
  EXPECT_THAT(binary_refusal(both, bytes_a()), HasSubstr("only 0 bytes are left"));
  EXPECT_THAT(binary_refusal(with_inputs(join(kA, kB)), "rest"), HasSubstr("belong to no input"));
  EXPECT_THAT(
      binary_refusal(with_inputs(binary_input("a", R"("shape":[1,3],"datatype":"FP32")", 8)),
                     bytes_a()),
      HasSubstr("8 bytes of binary data"));
  EXPECT_THAT(binary_refusal(with_inputs(binary_input(
                                 "a", R"("data":[1,2],"shape":[1,2],"datatype":"FP32")", 8)),
                             bytes_a()),
              HasSubstr("both \"data\" and"));
  for (const char* size : {"-1", "1.5", "\"8\"", "true", "1e1", "99999999999999999999"}) {
    EXPECT_THAT(refusal(with_inputs(R"({"name":"a","parameters":{"binary_data_size":)" +
                                    std::string(size) + "}}"))
                    .message(),
                HasSubstr("'binary_data_size' must be a whole number"))
        << size;
  }
}

TEST(V2Request, output_parameters_choose_the_form) {
  const auto read_outputs = [](const std::string& parameters, const std::string& more = "") {
    return read(with_inputs(join(kA, kB), R"(,"outputs":[{"parameters":{)" + parameters +
                                              R"(},"name":"y"}])" + more))
        .options;
  };
  EXPECT_EQ(read_outputs(R"("binary_data":true)").outputs[0].binary, true);
  EXPECT_EQ(read_outputs(R"("classification":3)").outputs[0].classes, 3);
  EXPECT_TRUE(read_outputs("", R"(,"parameters":{"binary_data_output":true})").binary_output);
  EXPECT_THAT(refusal(with_inputs(kA, R"(,"parameters":{"binary_data_output":1})")).message(),
              HasSubstr("must be true or false"));
}

TEST(V2Request, a_body_is_split_where_its_header_field_says) {
  const std::vector<Header> headers = {{"inference-header-content-length", "2"}};
  HttpRequest http;
  http.body = "{}rest";
  EXPECT_EQ(split_infer_body(http).json, "{}rest");
  EXPECT_FALSE(split_infer_body(http).binary);
  http.headers = headers;
  EXPECT_EQ(split_infer_body(http).json, "{}");
  EXPECT_EQ(split_infer_body(http).tensors, "rest");
  EXPECT_TRUE(split_infer_body(http).binary);
}

TEST(V2Request, what_is_missing_or_twice_is_named) {
  EXPECT_THAT(refusal("{}").message(), HasSubstr("no \"inputs\""));
  EXPECT_THAT(refusal(with_inputs("")).message(), HasSubstr("input 'a' is missing"));
  EXPECT_THAT(refusal(with_inputs(kA)).message(), HasSubstr("input 'b' is missing"));
  EXPECT_THAT(refusal(with_inputs(join(kA, kA))).message(), HasSubstr("'a' appears twice"));
  EXPECT_THAT(refusal(with_inputs(join(kB, kB))).message(), HasSubstr("'b' appears twice"));
  EXPECT_THAT(refusal(with_inputs(R"({"name":"c\n"})")).message(), HasSubstr("no input 'c?'"));
  EXPECT_THAT(refusal(with_inputs("{}")).message(), HasSubstr("no \"name\""));
  EXPECT_THAT(refusal(with_inputs(R"({"name":"a","datatype":"FP32","data":[]})")).message(),
              HasSubstr("no \"shape\""));
  EXPECT_THAT(refusal(with_inputs(R"({"name":"a","shape":[2],"data":[]})")).message(),
              HasSubstr("no \"datatype\""));
  EXPECT_THAT(refusal(with_inputs(R"({"name":"a","shape":[2],"datatype":"FP32"})")).message(),
              HasSubstr("no \"data\""));
}

TEST(V2Request, repeated_keys_are_refused_also_escaped_ones) {
  for (const std::string& body :
       {std::string(R"({"inputs":[],"inputs":[]})"), with_inputs(kA, R"(,"inputs":[])"),
        with_inputs(join(kA, kB), R"(,"id":"1","\u0069d":"2")"),
        with_inputs(R"({"name":"a","name":"a"})"), with_inputs(R"({"shape":[1],"shape":[1]})"),
        with_inputs(R"({"datatype":"FP32","datatype":"FP32"})"),
        with_inputs(R"({"data":[1],"data":[1]})"),
        with_inputs(R"({"name":"a","shape":[1],"datatype":"FP32","data":[1],"data":[1]})"),
        with_inputs(kA, R"(,"outputs":[],"outputs":[])"),
        with_inputs(kA, R"(,"outputs":[{"name":"y","name":"y"}])")}) {
    EXPECT_EQ(refusal(body).code(), ErrorCode::kInvalidArgument) << body;
  }
}

TEST(V2Request, shapes_are_whole_numbers_of_at_most_eight_dimensions) {
  for (const std::string shape :
       {"[-1]", "[2.5]", "[\"2\"]", "[null]", "[1e2]", "2", "null", "{}", "[[2]]",
        "[9223372036854775808]", "[-9223372036854775808]", "[1,1,1,1,1,1,1,1,1]"}) {
    EXPECT_THAT(refusal(with_inputs(R"({"name":"a","shape":)" + shape + "}")).message(),
                HasSubstr("shape"))
        << shape;
  }
  for (const std::string shape : {"[4294967296,4294967296]", "[65536,65536,65536,65536,2]", "[3]",
                                  "[1,1]", "[1000000000]", "[1,3]", "[0]"}) {
    EXPECT_THAT(refusal(with_inputs(R"({"name":"a","datatype":"FP32","shape":)" + shape +
                                    R"(,"data":[1,2]})"))
                    .message(),
                HasSubstr("input 'a' has"))
        << shape;
  }
}

TEST(V2Request, data_that_does_not_suit_its_datatype_names_the_input) {
  for (const std::string data : {"[1,null]", "[1,\"2\"]", "[1,1e39]", "[[1],[2]]", "[[1,2],[3,4]]",
                                 "7", "\"a\"", "[true,false]"}) {
    EXPECT_THAT(
        refusal(with_inputs(R"({"name":"a","datatype":"FP32","shape":[1,2],"data":)" + data + "}"))
            .message(),
        HasSubstr("input 'a' "))
        << data;
  }
  EXPECT_THAT(refusal(with_inputs(R"({"name":"a","datatype":"FLOAT"})")).message(),
              HasSubstr("the datatype 'FLOAT' is unknown"));
}

TEST(V2Request, what_is_not_the_right_json_type_is_refused) {
  for (const std::string body :
       {"", "[]", "1", "null", "{\"inputs\":{}}", "{\"inputs\":[1]}", "{\"inputs\":null}",
        R"({"inputs":[{"name":1}]})", R"({"inputs":[{"datatype":1}]})", R"({"parameters":[]})",
        R"({"outputs":{}})", R"({"outputs":[{"name":1}]})", "{", R"({"inputs":[{}]}x)",
        R"({"inputs":[}]})"}) {
    EXPECT_EQ(refusal(body).code(), ErrorCode::kInvalidArgument) << body;
  }
}

TEST(V2Request, inputs_that_would_take_too_much_memory_are_too_large) {
  EXPECT_EQ(read(with_inputs(join(kA, kB)), 8 + sizeof(std::string)).inputs.size(), 2U);
  EXPECT_EQ(refusal(with_inputs(join(kA, kB)), 7 + sizeof(std::string)).code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(refusal(with_inputs(join(kA, kB)), 7).code(), ErrorCode::kTooLarge);
}

TEST(V2Request, a_damaged_request_is_read_or_refused) {
  const std::string whole = with_inputs(
      join(kA, kB), R"(,"id":"\u00e91","parameters":{"p":[1e5]},"outputs":[{"name":"y"}])");
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
      ASSERT_LT(error.message().size(), 400U) << body;
    }
  }
}

TEST(V2Request, every_prefix_is_refused) {
  const std::string body = with_inputs(join(kA, kB), R"(,"id":"1","outputs":[{"name":"y"}])");
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(refusal(std::string(body, 0, size)).code(), ErrorCode::kInvalidArgument) << size;
  }
}

}  // namespace
}  // namespace maas
