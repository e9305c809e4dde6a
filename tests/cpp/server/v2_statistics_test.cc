// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_statistics.h"

#include <array>
#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

TEST(V2Statistics, everything_that_was_counted_is_told) {
  testing::Harness harness;
  const std::array<std::shared_ptr<ServedModel>, 2> models = {
      harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({1}))),
      harness.serve("n", std::make_shared<testing::AddOne>(testing::floats({1})))};
  InferenceStats& stats = models[0]->batcher().stats().inference;
  stats.count_success({.queue = Duration(1),
                       .input = Duration(2),
                       .compute = Duration(3),
                       .output = Duration(4),
                       .batch_rows = 5},
                      5, Duration(10));
  stats.count_failure(Duration(7));
  stats.count_batch(5, {1, Duration(2), Duration(3), Duration(4)});
  stats.set_last(99);
  std::string body;
  write_statistics(models, body);
  EXPECT_THAT(
      body,
      HasSubstr(
          R"({"model_stats":[{"name":"m","version":"1","last_inference":99,"inference_count":5,)"
          R"("execution_count":1,"inference_stats":{"success":{"count":1,"ns":10},)"
          R"("fail":{"count":1,"ns":7},"queue":{"count":1,"ns":1},)"
          R"("compute_input":{"count":1,"ns":2},"compute_infer":{"count":1,"ns":3},)"
          R"("compute_output":{"count":1,"ns":4},"cache_hit":{"count":0,"ns":0},)"
          R"("cache_miss":{"count":0,"ns":0}},"response_stats":{},"batch_stats":[{"batch_size":5,)"
          R"("compute_input":{"count":1,"ns":2},"compute_infer":{"count":1,"ns":3},)"
          R"("compute_output":{"count":1,"ns":4}}],"memory_usage":[]},{"name":"n")"));
}

}  // namespace
}  // namespace maas
