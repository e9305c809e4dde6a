// SPDX-License-Identifier: Apache-2.0
#include "maas/server/http_limits.h"

#include <limits>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(HttpLimits, every_member_has_its_row) {
  // Each row changes bytes of its own, and together they change all: none is missing.
  std::set<std::string_view> names;
  for (const LimitField& field : limit_fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    const HttpLimits limits;
    HttpLimits changed;
    field.set(changed, field.get(limits) + 1);
    for (const LimitField& other : limit_fields()) {
      EXPECT_EQ(other.get(limits) != other.get(changed), &other == &field) << field.name;
    }
  }
  EXPECT_EQ(limit_fields().size() * sizeof(std::size_t), sizeof(HttpLimits));
}

TEST(HttpLimits, defaults_are_within_their_bounds_and_on) {
  const HttpLimits limits;
  for (const LimitField& field : limit_fields()) {
    EXPECT_GE(field.get(limits), field.least) << field.name;
    EXPECT_LE(field.get(limits), field.most) << field.name;
    EXPECT_GT(field.get(limits), 0) << field.name;
    EXPECT_FALSE(field.text.empty() || field.answer.empty()) << field.name;
  }
}

TEST(HttpLimits, are_set_by_name) {
  HttpLimits limits;
  set_limit(limits, "max_header_fields", 7);
  set_limit(limits, "idle_timeout_s", 0.5);
  EXPECT_EQ(limits.fields, 7U);
  EXPECT_EQ(limits.idle, std::chrono::milliseconds(500));
}

TEST(HttpLimits, what_is_out_of_bounds_is_refused_by_name) {
  HttpLimits limits;
  for (const double value : {-1.0, 0.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(set_limit(limits, "max_header_fields", value), Error) << value;
  }
  try {
    set_limit(limits, "max_header_bytes", 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "max_header_bytes is from 512 to 1048576");
  }
  EXPECT_THROW(set_limit(limits, "max_nothing", 1), Error);
}

}  // namespace
}  // namespace maas
