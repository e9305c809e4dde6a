// SPDX-License-Identifier: Apache-2.0
#include "maas/server/v2_generate.h"  // IWYU pragma: keep

#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::HasSubstr;

// Answers each row with a stream of two words, or with one that fails behind the first.
class Words final : public Model {
 public:
  Words() { signature_.inputs = {{"f0", DType::kBytes, Shape{}}}; }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "python"; }
  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    auto stream = std::make_shared<ItemStream>();
    const bool fails = batch.inputs[0].strings()[0] == R"("fail")";
    stream->write(R"("a \"")");
    if (fails) {
      stream->end(Error(ErrorCode::kInternal, "broke"));
    } else {
      stream->write("7");
      stream->end();
    }
    BatchResult result;
    result.streams = {std::move(stream)};
    done(std::move(result));
  }

 private:
  Signature signature_;
};

struct V2Generate : ::testing::Test {
  V2Generate() {
    Catalog catalog;
    catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({2})))};
    EndpointSpec shout;
    shout.path = "/shout";
    shout.model = harness.serve("/shout", std::make_shared<testing::Texts>(2, ""));
    shout.fields = {{.name = "text"}, {.name = "times", .required = false}};
    shout.timeout = std::chrono::seconds(10);
    shout.text_model = "shout";
    shout.text_field = "text";
    EndpointSpec words = shout;
    words.path = "/words";
    words.model = harness.serve("/words", std::make_shared<Words>(), 1);
    words.fields = {{.name = "text"}};
    words.streams = true;
    words.text_model = "words";
    catalog.endpoints = {shout, words};
    harness.publish(std::move(catalog));
  }
  HttpResponse generate(const std::string& model, const std::string& body) {
    return harness.post("/v2/models/" + model + "/generate", body);
  }

  testing::Harness harness;
};

TEST_F(V2Generate, text_goes_in_and_comes_out) {
  EXPECT_EQ(generate("shout", R"({"text_input":"hi","id":"7","more":1})").body,
            R"({"model_name":"shout","model_version":"1","id":"7","text_output":"hi"})");
}

TEST_F(V2Generate, parameters_become_fields_and_those_it_lacks_are_passed_over) {
  EXPECT_THAT(
      generate("shout", R"({"text_input":"hi","parameters":{"times":2,"temperature":0.5}})").body,
      HasSubstr(R"("text_output":"\"hi\" 2")"));
  EXPECT_THAT(generate("shout", R"({"times":3,"text_input":"hi"})").body, HasSubstr("3"));
}

TEST_F(V2Generate, what_is_no_such_request_is_400) {
  for (const char* body :
       {"", "{}", "[]", R"({"text_input":1})", R"({"text_input":"a"}x)",
        R"({"text_input":"a","parameters":[]})", R"({"text_input":"a","text_input":"b"})"}) {
    EXPECT_EQ(generate("shout", body).status, 400) << body;
  }
  EXPECT_EQ(generate("m", R"({"text_input":"a"})").status, 400);
  EXPECT_EQ(generate("none", R"({"text_input":"a"})").status, 404);
  EXPECT_EQ(generate("shout/versions/2", R"({"text_input":"a"})").status, 404);
  const auto status = [&](const Header& header) {
    return harness
        .call(Method::kPost, "/v2/models/shout/generate", R"({"text_input":"a"})", {header})
        .status;
  };
  EXPECT_EQ(status({"Accept", "text/plain"}), 406);
  EXPECT_EQ(status({"Content-Type", "text/plain"}), 415);
}

TEST_F(V2Generate, a_field_that_is_wrong_is_told_in_both_forms) {
  const HttpResponse refused = generate("shout", R"({"text_input":"fail"})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr(R"({"error":"no")"));
  EXPECT_THAT(refused.body, HasSubstr(R"("detail":[{"loc")"));
}

TEST_F(V2Generate, a_stream_is_gathered_into_one_answer) {
  EXPECT_EQ(generate("words", R"({"text_input":"x"})").body,
            R"({"model_name":"words","model_version":"1","text_output":"a \"7"})");
  const HttpResponse failed = generate("words", R"({"text_input":"fail"})");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, HasSubstr("broke"));
}

TEST_F(V2Generate, one_answer_is_one_event) {
  const HttpResponse events =
      harness.post("/v2/models/shout/generate_stream", R"({"text_input":"hi"})");
  EXPECT_EQ(events.content_type, "text/event-stream");
  EXPECT_EQ(events.body,
            "data: {\"model_name\":\"shout\",\"model_version\":\"1\","
            "\"text_output\":\"hi\"}\n\n");
}

TEST_F(V2Generate, items_of_a_stream_are_events_of_the_same_form) {
  const HttpResponse events =
      harness.post("/v2/models/words/generate_stream", R"({"text_input":"x"})");
  ASSERT_TRUE(events.stream);
  EXPECT_EQ(events.stream.format, StreamFormat::kEvents);
  EXPECT_EQ(events.stream.before, R"({"model_name":"words","model_version":"1","text_output":)");
  EXPECT_EQ(events.stream.behind, "}");
}

}  // namespace
}  // namespace maas
