// SPDX-License-Identifier: Apache-2.0
#include "maas/server/catalog_check.h"

#include <functional>
#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::HasSubstr;

struct CatalogCheck : ::testing::Test {
  CatalogCheck() {
    catalog.endpoints.resize(2);
    EndpointSpec& native = catalog.endpoints[0];
    native.path = "/native";
    native.native = true;
    native.model = harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})));
    native.fields = {{"x", DType::kFloat32, Shape{2}, true}};
    native.outputs = {OutputSpec{}};
    EndpointSpec& python = catalog.endpoints[1];
    python.path = "/a-Z_0.9~/deep";
    python.model = harness.serve("t", std::make_shared<testing::Texts>(1, ""));
    python.fields = {{"f", std::nullopt, {}, true}};
    python.operation = R"({"summary":"s"})";
    catalog.models = {native.model};
  }
  // What is wrong after `change`.
  std::string problem(const std::function<void(Catalog&)>& change) {
    Catalog changed = catalog;
    change(changed);
    try {
      check_catalog(changed);
    } catch (const Error& error) {
      code = error.code();
      return error.message();
    }
    return "";
  }

  testing::Harness harness;
  Catalog catalog;
  ErrorCode code = ErrorCode::kInternal;
};

TEST_F(CatalogCheck, what_can_be_served_passes) {
  EXPECT_EQ(problem([](Catalog&) {}), "");
  EXPECT_EQ(problem([](Catalog& c) { c = {}; }), "");
}

TEST_F(CatalogCheck, paths_are_plain_and_not_the_servers_own) {
  for (const char* path :
       {"", "x", "/a b", "/a?b", "/a#b", "/a%20b", "/{x}", "/\xC3\xA9", "/a\n"}) {
    EXPECT_THAT(problem([&](Catalog& c) { c.endpoints[0].path = path; }), HasSubstr("not valid"));
    EXPECT_EQ(code, ErrorCode::kInvalidArgument);
  }
  for (const char* path : {"/", "/docs", "/metrics", "/v2", "/v2/", "/v2/mine", "/livez"}) {
    EXPECT_THAT(problem([&](Catalog& c) { c.endpoints[0].path = path; }), HasSubstr("own"));
    EXPECT_EQ(code, ErrorCode::kAlreadyExists);
  }
}

TEST_F(CatalogCheck, fields_are_what_json_can_express) {
  const auto with_field = [&](const FieldSpec& field) {
    return problem([&](Catalog& c) { c.endpoints[0].fields = {field}; });
  };
  EXPECT_THAT(with_field({"x", DType::kFloat16, Shape{2}, true}), HasSubstr("declare float32"));
  EXPECT_THAT(with_field({"x", DType::kFloat32, Shape{2}, false}), HasSubstr("must be required"));
  EXPECT_THAT(with_field({"x", DType::kFloat32, Shape({1, 1, 1, 1, 1, 1, 1, 1}), true}),
              HasSubstr("more than 7"));
  EXPECT_THAT(with_field({"x", std::nullopt, {}, true}), HasSubstr("tensors alone"));
  EXPECT_THAT(with_field({"x", DType::kFloat32, Shape{2}, true, {"image/*"}}),
              HasSubstr("takes no media"));
  EXPECT_THAT(
      problem([](Catalog& c) { c.endpoints[1].fields.push_back(c.endpoints[1].fields[0]); }),
      HasSubstr("declared twice"));
  EXPECT_THAT(problem([](Catalog& c) { c.endpoints[1].fields.resize(65); }),
              HasSubstr("more than 64"));
}

TEST_F(CatalogCheck, outputs_exist_and_have_names_when_there_are_several) {
  const auto with_outputs = [&](const std::vector<OutputSpec>& outputs) {
    return problem([&](Catalog& c) { c.endpoints[0].outputs = outputs; });
  };
  OutputSpec top;
  top.render = Render::kTopK;
  EXPECT_THAT(with_outputs({}), HasSubstr("must have an output"));
  EXPECT_THAT(with_outputs({testing::output("", 1)}), HasSubstr("the model lacks"));
  EXPECT_THAT(with_outputs({OutputSpec{}, testing::output("a")}), HasSubstr("field name"));
  EXPECT_THAT(with_outputs({top}), HasSubstr("k of 1"));
}

TEST_F(CatalogCheck, an_endpoint_needs_a_model_that_suits_it) {
  EXPECT_THAT(problem([](Catalog& c) { c.endpoints[0].model = nullptr; }), HasSubstr("no model"));
  EXPECT_THAT(problem([](Catalog& c) { c.endpoints[0].fields.clear(); }),
              HasSubstr("a field for each input"));
  EXPECT_THAT(problem([](Catalog& c) { c.endpoints[1].model = c.endpoints[0].model; }),
              HasSubstr("body and content type"));
}

TEST_F(CatalogCheck, model_names_are_those_of_the_protocol) {
  const auto bad = harness.serve("a/b", std::make_shared<testing::Texts>(1, ""));
  EXPECT_THAT(problem([&](Catalog& c) { c.models.push_back(bad); }), HasSubstr("'a/b'"));
}

TEST_F(CatalogCheck, texts_for_openapi_are_json_objects) {
  for (const char* bad : {"{", "[]", "1", "{} x", "{\"a\":}"}) {
    EXPECT_THAT(problem([&](Catalog& c) { c.endpoints[1].operation = bad; }), HasSubstr("OpenAPI"));
    EXPECT_THAT(problem([&](Catalog& c) { c.components = bad; }), HasSubstr("components"));
  }
}

}  // namespace
}  // namespace maas
