// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_parameters.h"

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(V2Parameters, known_ones_are_read_and_others_passed_over) {
  JsonReader request(R"({"x":[{}],"timeout":5,"binary_data_output":true,"priority":"2"})");
  InferOptions options;
  read_request_parameters(request, options);
  EXPECT_TRUE(options.binary_output);
  EXPECT_EQ(options.urgency.timeout, std::chrono::microseconds(5));
  EXPECT_EQ(options.urgency.priority, 2);

  JsonReader output(R"({"classification":3,"binary_data":false,"y":"z"})");
  OutputChoice choice;
  read_output_parameters(output, choice);
  EXPECT_EQ(choice.classes, 3);
  EXPECT_EQ(choice.binary, false);

  JsonReader input(R"({"timeout":"mine","binary_data_size":7})");
  EXPECT_EQ(read_input_parameters(input), 7U);
  JsonReader none("{}");
  EXPECT_EQ(read_input_parameters(none), std::nullopt);
}

TEST(V2Parameters, wrong_values_are_refused) {
  InferOptions options;
  OutputChoice choice;
  for (const char* text : {"[]", "1", R"({"binary_data_output":"true"})", R"({"timeout":-1})",
                           R"({"shared_memory_region":"r"})"}) {
    JsonReader json(text);
    EXPECT_THROW(read_request_parameters(json, options), Error) << text;
  }
  for (const char* text : {R"({"binary_data":1})", R"({"classification":-1})",
                           R"({"classification":1.5})", R"({"classification":"3"})"}) {
    JsonReader json(text);
    EXPECT_THROW(read_output_parameters(json, choice), Error) << text;
  }
}

}  // namespace
}  // namespace maas
