// SPDX-License-Identifier: Apache-2.0
#include "maas/registry/filter.h"

#include "registry/fixture.h"

namespace maas {
namespace {

using Key = Condition::Key;
using Operator = Condition::Operator;

TEST(Filter, reads_each_kind_of_key_and_comparison) {
  const Filter filter = parse_filter(
      "name = 'it''s' and tags.`my key` LIKE 'a%' AND metrics.test.accuracy >= 0.9 "
      "AND metrics.loss < 1e-3 AND version IN (1, '2') AND state != 'FAILED'");
  ASSERT_EQ(filter.conditions.size(), 6U);
  EXPECT_EQ(std::get<std::string>(filter.conditions[0].values[0]), "it's");
  EXPECT_EQ(filter.conditions[1].key, Key::kTag);
  EXPECT_EQ(filter.conditions[1].part, "my key");
  EXPECT_EQ(filter.conditions[1].compare, Operator::kLike);
  EXPECT_EQ(filter.conditions[2].data, "test");
  EXPECT_EQ(filter.conditions[2].part, "accuracy");
  EXPECT_EQ(filter.conditions[2].compare, Operator::kGreaterEqual);
  EXPECT_EQ(filter.conditions[3].data, "");
  EXPECT_EQ(std::get<double>(filter.conditions[3].values[0]), 1e-3);
  EXPECT_EQ(std::get<double>(filter.conditions[4].values[1]), 2.0);
  EXPECT_EQ(filter.conditions[5].compare, Operator::kNotEqual);
  EXPECT_TRUE(parse_filter("  ").conditions.empty());
}

TEST(Filter, says_where_and_what_it_expected) {
  EXPECT_THAT(message_of([] { (void)parse_filter("nam = 'x'"); }),
              testing::HasSubstr("at character 1"));
  for (const char* wrong :
       {"name", "name =", "name = x", "name = 'x", "version = 'a'", "name = 'x' OR name = 'y'",
        "version LIKE '1'", "version IN 1", "version IN (1", "tags. = 'x'", "AND", "name = 'x' AND",
        "name = 'x' extra", "metrics.a = nan", "version = 1e999"}) {
    EXPECT_EQ(code_of([&] { (void)parse_filter(wrong); }), ErrorCode::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace maas
