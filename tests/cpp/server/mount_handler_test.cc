// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

using ::testing::ElementsAre;
using testing::Harness;

// Keeps the texts of the last request, and answers with a head and a stream that is complete.
class Application final : public Model {
 public:
  Application() {
    for (int i = 0; i < 7; ++i) {
      signature_.inputs.push_back({"t" + std::to_string(i), DType::kBytes, Shape{}});
    }
    signature_.outputs = {{"head", DType::kBytes, Shape{}}};
  }
  [[nodiscard]] const Signature& signature() const noexcept override { return signature_; }
  [[nodiscard]] std::string_view platform() const noexcept override { return "test"; }

  void run(Batch batch, const ExecutorContext&, BatchDone done) override {
    texts.clear();
    for (const Tensor& input : batch.inputs) {
      texts.push_back(input.strings().front());
    }
    BatchResult result;
    result.outputs.push_back(Tensor::from_strings({head}, Shape{1}));
    result.streams.push_back(std::make_shared<ItemStream>());
    result.streams.front()->write("body");
    result.streams.front()->end();
    inbound = batch.items.front().inbound;
    done(std::move(result));
  }

  void warm_up(std::int64_t, const ExecutorContext&) override {}

  std::string head = "201\r\nContent-Type: text/x\r\nX-A: b";
  std::vector<std::string> texts;
  std::shared_ptr<ItemStream> inbound;

 private:
  Signature signature_;
};

class MountHandlerTest : public ::testing::Test {
 protected:
  MountHandlerTest() {
    Catalog catalog;
    const auto served = harness_.serve("app", app_, 1);
    catalog.mounts = {{"/app", served}, {"/app/inner", harness_.serve("inner", inner_, 1)}};
    harness_.publish(std::move(catalog));
  }

  Harness harness_;
  std::shared_ptr<Application> app_ = std::make_shared<Application>();
  std::shared_ptr<Application> inner_ = std::make_shared<Application>();
};

TEST_F(MountHandlerTest, passes_the_request_on_and_answers_with_its_head_and_bytes) {
  const HttpResponse answer =
      harness_.call(Method::kDelete, "/app/a%20b", "content", {{"X-Field", "One"}, {"b", "2"}});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.content_type, "");
  EXPECT_EQ(answer.headers, "Content-Type: text/x\r\nX-A: b\r\n");
  EXPECT_EQ(answer.stream.format, StreamFormat::kBytes);
  EXPECT_FALSE(answer.stream.sized);
  EXPECT_THAT(app_->texts, ElementsAre("", "/app/a%20b", "",
                                       std::string("x-field\0One\0b\0"
                                                   "2\0",
                                                   16),
                                       "1.1", "", "content"));
  EXPECT_EQ(app_->inbound, nullptr);
}

TEST_F(MountHandlerTest, a_declared_length_is_kept) {
  app_->head = "200\r\ncontent-length: 4";
  EXPECT_TRUE(harness_.get("/app").stream.sized);
}

TEST_F(MountHandlerTest, the_longest_path_and_no_other_counts) {
  harness_.get("/app/inner/x");
  EXPECT_EQ(inner_->texts.at(1), "/app/inner/x");
  EXPECT_TRUE(app_->texts.empty());
  harness_.get("/app/innermost");
  EXPECT_EQ(app_->texts.at(1), "/app/innermost");
  EXPECT_EQ(harness_.get("/apple").status, 404);
}

TEST_F(MountHandlerTest, paths_of_the_server_stay_its_own) {
  EXPECT_EQ(harness_.get("/livez").status, 200);
  Catalog catalog;
  catalog.mounts = {{"", harness_.serve("all", app_, 1)}};
  harness_.publish(std::move(catalog));
  EXPECT_EQ(harness_.get("/livez").status, 200);
  EXPECT_EQ(harness_.get("/anything").status, 201);
}

TEST_F(MountHandlerTest, a_head_that_is_none_is_an_internal_error) {
  for (const auto* head : {"", "x", "99", "600", "200\r\nno colon"}) {
    app_->head = head;
    EXPECT_EQ(harness_.get("/app").status, 500) << head;
  }
}

TEST_F(MountHandlerTest, a_websocket_gets_what_its_client_sends) {
  harness_.call(Method::kGet, "/app/ws", {}, {{"Upgrade", "WebSocket"}});
  EXPECT_NE(app_->inbound, nullptr);
}

TEST_F(MountHandlerTest, two_at_one_path_are_refused) {
  Catalog catalog;
  catalog.mounts = {{"/x", harness_.serve("a", app_, 1)}, {"/x", harness_.serve("b", app_, 1)}};
  EXPECT_THROW(harness_.publish(std::move(catalog)), Error);
}

}  // namespace
}  // namespace maas
