// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/json.h"

#include "registry/fixture.h"

namespace maas {
namespace {

TEST(Json, one_value_has_one_text) {
  const std::string text = R"( {"b": [1, 2.50, 1e3, "\u00e9\n"], "a": {"y": null, "x": true}} )";
  const std::string canonical = canonical_json(parse_json(text, "it"));
  EXPECT_EQ(canonical, "{\"a\":{\"x\":true,\"y\":null},\"b\":[1,2.5,1000,\"\u00e9\\n\"]}");
  EXPECT_EQ(canonical_json(parse_json(canonical, "it")), canonical);
}

TEST(Json, what_is_wrong_is_said) {
  EXPECT_THAT(message_of([] { (void)parse_json("{", "the manifest"); }),
              testing::HasSubstr("the manifest is not JSON"));
  const auto value = parse_json(R"({"a": "x"})", "it");
  EXPECT_EQ(code_of([&] { (void)member(value.get_object(), "b"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { (void)integer_member(value.get_object(), "a"); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(string_member(value.get_object(), "a"), "x");
}

}  // namespace
}  // namespace maas
