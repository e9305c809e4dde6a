// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/names.h"

#include "registry/fixture.h"

namespace maas {
namespace {

TEST(Names, a_reference_names_a_model_a_version_or_an_alias) {
  EXPECT_EQ(parse_reference("iris").name, "iris");
  EXPECT_EQ(parse_reference("iris:12").version, 12);
  EXPECT_EQ(parse_reference("iris@champion").alias, "champion");
  EXPECT_EQ(parse_reference("iris@latest").alias, "latest");
  for (const char* wrong : {"", ":1", "iris:", "iris:0", "iris:-1", "iris:1x", "iris@", "iris@v2",
                            "iris@7", "a/b", "../a", "iris:99999999999999999999", "a b"}) {
    EXPECT_EQ(code_of([&] { (void)parse_reference(wrong); }), ErrorCode::kInvalidArgument) << wrong;
  }
}

TEST(Names, what_names_a_version_itself_is_no_alias) {
  for (const char* reserved : {"latest", "1", "007", "v1", "V12", "v"}) {
    const bool is_refused = code_of([&] { check_alias(reserved); }) == ErrorCode::kInvalidArgument;
    EXPECT_EQ(is_refused, std::string(reserved) != "v") << reserved;
  }
  check_alias("champion");
  check_alias("v1-blue");
}

TEST(Names, a_name_has_at_most_128_characters) {
  check_registry_name(std::string(128, 'a'));
  EXPECT_EQ(code_of([] { check_registry_name(std::string(129, 'a')); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([] { check_registry_name(".hidden"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace maas
