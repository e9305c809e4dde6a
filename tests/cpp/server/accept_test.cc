// SPDX-License-Identifier: Apache-2.0
#include "maas/server/accept.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

bool accepts(std::string_view value) {
  const std::vector<Header> headers = {{"X", "y"}, {"accept", value}};
  return accepts_media(headers, "application/json");
}

TEST(Accept, a_range_that_matches_accepts) {
  for (const char* value : {"application/json", "APPLICATION/JSON", "application/*", "*/*", "",
                            "text/html, */*;q=0.1", "text/html,application/json;q=0.5;x=1"}) {
    EXPECT_TRUE(accepts(value)) << value;
  }
  EXPECT_TRUE(accepts_media({}, "application/json"));
}

TEST(Accept, other_types_and_a_quality_of_zero_do_not) {
  for (const char* value : {"text/html", "application/jsonp", "application/json;q=0", "text/*, a/b",
                            "*/*, application/json; q=0.000"}) {
    EXPECT_FALSE(accepts(value)) << value;
  }
}

AcceptedCodings codings(std::string_view value) {
  const std::vector<Header> headers = {{"Accept-Encoding", value}};
  return accepted_codings(headers);
}

TEST(Accept, codings_are_found_in_the_list) {
  EXPECT_TRUE(codings("gzip, deflate, br").gzip);
  EXPECT_TRUE(codings("gzip, deflate, br").deflate);
  EXPECT_TRUE(codings("*").gzip);
  EXPECT_FALSE(codings("gzip;q=0, br").gzip);
  EXPECT_FALSE(codings("").gzip || codings("").deflate);
}

TEST(Accept, a_coding_alone_is_told_from_a_list) {
  EXPECT_TRUE(codings("gzip").alone);
  EXPECT_TRUE(codings("deflate, identity;q=0.5").alone);
  EXPECT_FALSE(codings("gzip, deflate").alone);
  EXPECT_FALSE(codings("br").alone);
  EXPECT_FALSE(codings("gzip, br").alone);
}

}  // namespace
}  // namespace maas
