// SPDX-License-Identifier: Apache-2.0
#include "maas/server/grpc_parameters.h"

#include <chrono>
#include <string>

#include "protobuf_text.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using testing::field;
using ::testing::HasSubstr;
using testing::number;
using testing::parameter;

InferOptions read(const std::string& entry) {
  InferOptions options;
  read_request_parameter(entry, options);
  return options;
}

std::string problem(const std::string& entry) {
  try {
    read(entry);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(GrpcParameters, timeout_and_priority_are_numbers_or_texts_of_digits) {
  for (const std::string& value : {number(2, 50), number(5, 50), field(3, "50")}) {
    EXPECT_EQ(read(parameter("timeout", value)).urgency.timeout, std::chrono::microseconds(50));
  }
  EXPECT_EQ(read(parameter("priority", number(2, 3))).urgency.priority, 3);
  EXPECT_TRUE(read(parameter("headers", field(3, "x"))).is_default());
}

TEST(GrpcParameters, other_values_are_refused_by_name) {
  const std::string seconds = "\x21" + testing::bytes_of<double>({0.5});
  for (const std::string& value : {number(1, 1), number(2, -1), seconds, std::string()}) {
    EXPECT_THAT(problem(parameter("timeout", value)), HasSubstr("'timeout' must be"));
    EXPECT_THAT(problem(parameter("priority", value)), HasSubstr("'priority' must be"));
  }
  EXPECT_THAT(problem(parameter("shared_memory_region", field(3, "x"))),
              HasSubstr("not supported"));
  EXPECT_THROW(read_input_parameter(parameter("shared_memory_offset", number(2, 0))), Error);
  EXPECT_NO_THROW(read_input_parameter(parameter("anything", number(2, 0))));
}

TEST(GrpcParameters, an_output_may_be_classified) {
  OutputChoice output;
  read_output_parameter(parameter("classification", number(2, 3)), output);
  EXPECT_EQ(output.classes, 3);
  read_output_parameter(parameter("binary_data", number(1, 1)), output);
  EXPECT_EQ(output.classes, 3);
  EXPECT_THROW(read_output_parameter(parameter("classification", number(2, -1)), output), Error);
  EXPECT_THROW(read_output_parameter(parameter("classification", field(3, "x")), output), Error);
}

}  // namespace
}  // namespace maas
