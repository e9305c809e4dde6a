// SPDX-License-Identifier: Apache-2.0
#include "maas/batching/pipeline_graph.h"

#include <string>
#include <utility>

#include "fakes.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

using testing::FakeModel;
using ::testing::HasSubstr;
using Wiring = Pipeline::Wiring;

Signature from_to(Shape input, Shape output) {
  return {.inputs = {{"x", DType::kFloat32, input}}, .outputs = {{"y", DType::kFloat32, output}}};
}

class PipelineGraphTest : public ::testing::Test {
 protected:
  std::shared_ptr<ServedModel> serve(const std::string& name, Signature signature) {
    auto model = std::make_shared<FakeModel>(std::move(signature));
    model->behaviour = [](const Batch&, BatchDone done) {
      done(Error(ErrorCode::kInternal, "not to be run"));
    };
    return engine_.serve_composed({name, 1}, std::move(model), {});
  }
  static std::string refusal(const Wiring& wiring) {
    try {
      const PipelineGraph graph(wiring);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return error.message();
    }
    return "none";
  }

  Engine engine_{CoreBudget{.cores = 2}, std::make_shared<ManualClock>(), nullptr};
  std::shared_ptr<ServedModel> a_ = serve("a", from_to({2}, {3}));
  std::shared_ptr<ServedModel> b_ = serve("b", from_to({3}, {1}));
};

TEST_F(PipelineGraphTest, takes_its_signature_from_the_ends) {
  const PipelineGraph graph(
      {{"in"}, {"out", "mid"}, {{b_, {"mid"}, {"out"}}, {a_, {"in"}, {"mid"}}}});
  const Signature& signature = graph.signature();
  ASSERT_EQ(signature.inputs.size(), 1U);
  EXPECT_EQ(signature.inputs[0].name, "in");
  EXPECT_EQ(signature.inputs[0].row, Shape{2});
  ASSERT_EQ(signature.outputs.size(), 2U);
  EXPECT_EQ(signature.outputs[0].name, "out");
  EXPECT_EQ(signature.outputs[0].row, Shape{1});
  EXPECT_EQ(signature.outputs[1].name, "mid");
  EXPECT_TRUE(signature.batch_dim);
}

TEST_F(PipelineGraphTest, an_input_is_optional_when_all_that_take_it_can_do_without) {
  Signature both = from_to({2}, {3});
  both.inputs.push_back({"extra", DType::kFloat32, Shape{2}, true});
  const auto c = serve("c", both);
  const PipelineGraph alone({{"in", "extra"}, {"out"}, {{c, {"in", "extra"}, {"out"}}}});
  EXPECT_TRUE(alone.signature().inputs[1].optional);
  const PipelineGraph shared({{"in"}, {"out"}, {{c, {"in", "in"}, {"out"}}}});
  EXPECT_FALSE(shared.signature().inputs[0].optional);
  EXPECT_EQ(refusal({{"in"}, {"out"}, {{c, {"in", ""}, {"out"}}}}), "none");
  EXPECT_THAT(refusal({{"extra"}, {"out"}, {{c, {"", "extra"}, {"out"}}}}),
              HasSubstr("model 'c' needs its input 'x'"));
}

TEST_F(PipelineGraphTest, refuses_what_does_not_connect_and_names_it) {
  EXPECT_THAT(refusal({{"in"}, {"out"}, {}}), HasSubstr("needs a stage"));
  EXPECT_THAT(refusal({{"in"}, {"out"}, {{a_, {"in"}, {"mid"}}, {b_, {"midd"}, {"out"}}}}),
              HasSubstr("nothing gives tensor 'midd', which b.x takes"));
  EXPECT_THAT(refusal({{"in"}, {"result"}, {{a_, {"in"}, {"out"}}}}),
              HasSubstr("nothing gives its output 'result'"));
  EXPECT_THAT(refusal({{"in"}, {"in"}, {{a_, {"in"}, {"out"}}}}),
              HasSubstr("its output 'in' is one of its inputs"));
  EXPECT_THAT(refusal({{"in", "more"}, {"out"}, {{a_, {"in"}, {"out"}}}}),
              HasSubstr("no stage takes its input 'more'"));
  EXPECT_THAT(refusal({{"in", "in"}, {"out"}, {{a_, {"in"}, {"out"}}}}),
              HasSubstr("two of its inputs are called 'in'"));
  EXPECT_THAT(refusal({{"in"}, {"y"}, {{a_, {"in"}, {"y"}}, {a_, {"in"}, {"y"}}}}),
              HasSubstr("tensor 'y' is given twice, the second time by a.y"));
  EXPECT_THAT(refusal({{"in"}, {"out"}, {{a_, {"in", "in"}, {"out"}}}}),
              HasSubstr("model 'a' is wired with 2 tensors in place of 1"));
}

TEST_F(PipelineGraphTest, refuses_tensors_of_another_kind_than_the_model_takes) {
  EXPECT_THAT(refusal({{"in"}, {"out"}, {{b_, {"in"}, {"mid"}}, {a_, {"mid"}, {"out"}}}}),
              HasSubstr("tensor 'mid' cannot be both b.y (FP32 [1]) and a.x (FP32 [2])"));
  Signature whole = from_to({3}, {1});
  whole.inputs[0].dtype = DType::kInt64;
  const auto c = serve("c", whole);
  EXPECT_THAT(refusal({{"in"}, {"out"}, {{a_, {"in"}, {"mid"}}, {c, {"mid"}, {"out"}}}}),
              HasSubstr("cannot be both a.y (FP32 [3]) and c.x (INT64 [3])"));
  const auto any = serve("any", from_to({-1}, {-1}));
  EXPECT_EQ(refusal({{"in"}, {"out"}, {{a_, {"in"}, {"mid"}}, {any, {"mid"}, {"out"}}}}), "none");
  Signature single = from_to({3}, {1});
  single.batch_dim = false;
  const auto d = serve("d", single);
  EXPECT_THAT(refusal({{"in"}, {"out"}, {{a_, {"in"}, {"mid"}}, {d, {"mid"}, {"out"}}}}),
              HasSubstr("one has a batch dimension, the other none"));
}

TEST_F(PipelineGraphTest, refuses_a_circle) {
  const auto both = serve(
      "both", {.inputs = {{"x", DType::kFloat32, Shape{2}}, {"again", DType::kFloat32, Shape{3}}},
               .outputs = {{"y", DType::kFloat32, Shape{3}}}});
  EXPECT_THAT(refusal({{"in"}, {"y"}, {{both, {"in", "y"}, {"y"}}}}),
              HasSubstr("model 'both' waits for a tensor that comes from its own outputs"));
}

}  // namespace
}  // namespace maas
