// SPDX-License-Identifier: Apache-2.0
#include "maas/server/urgency.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Urgency read(std::string_view name, std::string_view value) {
  const std::vector<Header> headers = {{"Host", "t"}, {name, value}, {"Accept", "*/*"}};
  return read_urgency(headers);
}

template <typename Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "";
}

TEST(Urgency, headers_that_say_nothing_leave_everything_open) {
  const Urgency urgency = read("X-Other", "1");
  EXPECT_EQ(urgency.timeout, Duration::max());
  EXPECT_EQ(urgency.priority, 0);
}

TEST(Urgency, timeout_header_is_milliseconds_with_decimals) {
  EXPECT_EQ(read("X-Request-Timeout-Ms", "250").timeout, 250ms);
  EXPECT_EQ(read("x-request-timeout-ms", "0.5").timeout, 500us);
  EXPECT_EQ(read("X-REQUEST-TIMEOUT-MS", "86400000").timeout, 24h);
  EXPECT_GT(read("X-Request-Timeout-Ms", "0.0000000001").timeout, Duration(0));
}

TEST(Urgency, timeout_header_that_is_no_such_number_is_named) {
  for (const char* value : {"", "0", "-1", "abc", "1e3", "nan", "inf", "5 ", "1,5", "86400001",
                            "0x1", "99999999999999999999999999"}) {
    EXPECT_THAT(refusal([&] { read("X-Request-Timeout-Ms", value); }),
                HasSubstr("X-Request-Timeout-Ms must be a number of milliseconds above 0"))
        << value;
  }
}

TEST(Urgency, priority_header_is_clamped_to_the_lowest) {
  EXPECT_EQ(read("X-Request-Priority", "1").priority, 1);
  EXPECT_EQ(read("X-Request-Priority", "0").priority, 0);
  EXPECT_EQ(read("X-Request-Priority", "11").priority, 10);
  EXPECT_EQ(read("X-Request-Priority", "99999999999999999999999999").priority, 10);
  for (const char* value : {"", "-1", "high", "1.5", "+1"}) {
    EXPECT_THAT(refusal([&] { read("X-Request-Priority", value); }),
                HasSubstr("X-Request-Priority must be a whole number"))
        << value;
  }
}

TEST(Urgency, timeout_parameter_is_microseconds_and_zero_is_none) {
  EXPECT_EQ(read_timeout_parameter("1500"), 1500us);
  EXPECT_EQ(read_timeout_parameter("\"1500\""), 1500us);
  EXPECT_EQ(read_timeout_parameter("0"), Duration::max());
  EXPECT_EQ(read_timeout_parameter("18446744073709551615"), Duration::max());
  for (const char* value : {"-1", "1.5", "1e3", "\"\"", "\"1s\"", "null", "true", "[1]", "{}"}) {
    EXPECT_THAT(refusal([&] { read_timeout_parameter(value); }),
                HasSubstr("the parameter 'timeout' must be a whole number of microseconds"))
        << value;
  }
}

TEST(Urgency, priority_parameter_is_a_number_or_its_digits) {
  EXPECT_EQ(read_priority_parameter("3"), 3);
  EXPECT_EQ(read_priority_parameter("\"3\""), 3);
  EXPECT_EQ(read_priority_parameter("200"), 10);
  EXPECT_THAT(refusal([] { read_priority_parameter("-3"); }), HasSubstr("'priority'"));
}

TEST(Urgency, shortest_timeout_and_nearest_priority_win) {
  const Urgency both = Urgency{30s, 0}.combined_with({1s, 2}).combined_with({2s, 7});
  EXPECT_EQ(both.timeout, 1s);
  EXPECT_EQ(both.priority, 7);
  EXPECT_EQ(both.combined_with({}).priority, 7);
}

}  // namespace
}  // namespace maas
