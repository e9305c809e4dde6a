// SPDX-License-Identifier: Apache-2.0
#include "maas/server/request_fields.h"

#include <optional>
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
using ::testing::Not;
using Form = FieldPart::Form;

struct RequestFieldsOfForms : ::testing::Test {
  RequestFieldsOfForms() {
    endpoint.model = harness.serve("m", std::make_shared<testing::Texts>(3, ""));
    endpoint.fields = {{"x", DType::kFloat32, Shape{2}, true},
                       {"file", std::nullopt, {}, true, {"image/*"}},
                       {"more", std::nullopt, {}, false}};
  }
  testing::Harness harness;
  EndpointSpec endpoint;
  std::vector<Tensor> inputs;
};

TEST_F(RequestFieldsOfForms, parts_of_one_name_are_kept_together) {
  RequestFields parts(endpoint, 1000, inputs);
  parts.add_part("file", {Form::kFile, "image/png", "a.png", "\xFF"});
  parts.add_part("x", {Form::kText, {}, {}, " [1, 2] "});
  parts.add_part("file", {Form::kFile, {}, "b.png", "2"});
  parts.finish();
  EXPECT_THAT(inputs[0].values<float>(), ElementsAre(1.0F, 2.0F));
  EXPECT_EQ(inputs[0].shape(), (Shape{1, 2}));
  const auto files = unpack_parts(inputs[1].strings().front());
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].data, "\xFF");
  EXPECT_EQ(files[1].filename, "b.png");
  EXPECT_EQ(inputs[2].strings().front(), "");
}

struct RequestFieldsProblems : RequestFieldsOfForms {
  void SetUp() override { parts.emplace(endpoint, 12, inputs, "query"); }
  std::string told(std::string_view name, const FieldPart& part) {
    parts->add_part(name, part);
    try {
      parts->finish();
    } catch (const Error& error) {
      return error.detail();
    }
    return "none";
  }
  std::optional<RequestFields> parts;
};

TEST_F(RequestFieldsProblems, a_part_that_is_no_field_is_told) {
  EXPECT_THAT(told("other", {}), HasSubstr(R"({"loc":["query","other"],"msg":"is no field)"));
}

TEST_F(RequestFieldsProblems, a_tensor_of_broken_json_is_a_problem_of_its_field) {
  for (const char* text : {"", "[1", "[1,2]]", "text", "[1,2] 3"}) {
    SetUp();
    EXPECT_THAT(told("x", {Form::kText, {}, {}, text}), HasSubstr(R"("tensor_type")")) << text;
  }
}

TEST_F(RequestFieldsProblems, a_tensor_has_one_part) {
  parts->add_part("x", {Form::kText, {}, {}, "[1,2]"});
  EXPECT_THAT(told("x", {Form::kText, {}, {}, "[1,2]"}), HasSubstr("given twice"));
}

TEST_F(RequestFieldsProblems, text_must_be_utf8_and_files_need_not) {
  EXPECT_THAT(told("more", {Form::kText, {}, {}, "\xFF"}), HasSubstr("string_unicode"));
  SetUp();
  EXPECT_THAT(told("more", {Form::kFile, {}, {}, "\xFF"}), Not(HasSubstr("string_unicode")));
}

TEST_F(RequestFieldsProblems, what_is_required_is_told) {
  EXPECT_EQ(told("more", {Form::kText, {}, {}, "1"}),
            R"([{"loc":["query","x"],"msg":"is required","type":"missing"},)"
            R"({"loc":["query","file"],"msg":"is required","type":"missing"}])");
}

}  // namespace
}  // namespace maas
