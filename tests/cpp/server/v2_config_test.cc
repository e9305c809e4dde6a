// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_config.h"

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string config_of(const Signature& signature, BatchOptions options) {
  testing::Harness harness;
  std::string body;
  write_model_config(*harness.engine.serve({"m", 3}, std::make_shared<testing::AddOne>(signature),
                                           std::move(options)),
                     body);
  return body;
}

TEST(V2Config, dimensions_stand_without_the_one_of_rows) {
  Signature signature = testing::floats({2, -1});
  signature.inputs.push_back({"t", DType::kBytes, Shape{}, true});
  const std::string config =
      config_of(signature, {.max_batch_size = 8, .batch_timeout = std::chrono::milliseconds(2)});
  EXPECT_THAT(config, HasSubstr(R"({"name":"m","platform":"test")"));
  EXPECT_THAT(config, HasSubstr(R"("versions":[3])"));
  EXPECT_THAT(config, HasSubstr(R"("max_batch_size":8)"));
  EXPECT_THAT(config, HasSubstr(R"({"name":"x","data_type":"TYPE_FP32","dims":[2,-1])"));
  EXPECT_THAT(config, HasSubstr(R"({"name":"t","data_type":"TYPE_STRING","dims":[])"));
  EXPECT_THAT(config, HasSubstr(R"("optional":true)"));
  EXPECT_THAT(config, HasSubstr(R"("max_queue_delay_microseconds":2000)"));
}

TEST(V2Config, a_model_without_rows_has_no_batch_size) {
  Signature signature = testing::floats({2});
  signature.batch_dim = false;
  const std::string config = config_of(signature, {});
  EXPECT_THAT(config, HasSubstr(R"("max_batch_size":0)"));
  EXPECT_THAT(config, HasSubstr(R"("dims":[2])"));
  EXPECT_THAT(config, Not(HasSubstr("dynamic_batching")));
}

}  // namespace
}  // namespace maas
