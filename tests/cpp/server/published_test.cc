// SPDX-License-Identifier: Apache-2.0
#include "maas/server/published.h"

#include <optional>
#include <string>
#include <string_view>

#include "../batching/fakes.h"
#include <gtest/gtest.h>

#include "maas/batching/engine.h"

namespace maas {
namespace {

std::string publish_error(Catalog catalog) {
  try {
    make_published(std::move(catalog));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
    return error.message();
  }
  return "";
}

std::shared_ptr<ServedModel> serve(Engine& engine, const std::string& name, int version) {
  return engine.serve({name, version}, std::make_shared<testing::FakeModel>(), {});
}

TEST(Published, finds_versions_and_takes_the_newest_when_none_is_named) {
  Engine engine({}, std::make_shared<SystemClock>(), [](const LogRecord&) {});
  Catalog catalog;
  catalog.models = {serve(engine, "a", 2), serve(engine, "b", 1), serve(engine, "a", 1)};
  const auto published = make_published(catalog);
  EXPECT_EQ(*published->find("a"), catalog.models[0]);
  EXPECT_EQ(*published->find("a", 1), catalog.models[2]);
  EXPECT_EQ(*published->find("b"), catalog.models[1]);
  EXPECT_EQ(published->find("a", 3), nullptr);
  EXPECT_EQ(published->find("c"), nullptr);
  EXPECT_EQ(publish_error(catalog), "");
  catalog.models.push_back(serve(engine, "b", 1));
  EXPECT_EQ(publish_error(catalog),
            "two models are named 'b', version 1; give one another name or version");
}

TEST(Published, what_clients_ask_for_and_is_not_there_is_told) {
  Engine engine({}, std::make_shared<SystemClock>(), [](const LogRecord&) {});
  Catalog catalog;
  catalog.models = {serve(engine, "a", 2)};
  catalog.unloaded = {{"u", 1}};
  const auto published = make_published(catalog);
  EXPECT_EQ(published->require("a", std::nullopt), catalog.models[0]);
  EXPECT_EQ(published->require("a", "2"), catalog.models[0]);
  const auto code = [&](std::string_view name, std::optional<std::string_view> version) {
    try {
      (void)published->require(name, version);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code("a", "1"), ErrorCode::kNotFound);
  EXPECT_EQ(code("b", std::nullopt), ErrorCode::kNotFound);
  EXPECT_EQ(code("a", "0"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("a", ""), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("a/b", std::nullopt), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("u", std::nullopt), ErrorCode::kUnavailable);
}

TEST(Published, finds_endpoints_by_path) {
  Catalog catalog;
  catalog.endpoints.resize(2);
  catalog.endpoints[0].path = "/a";
  catalog.endpoints[1].path = "/b";
  const auto published = make_published(catalog);
  EXPECT_EQ(published->endpoints.at("/b"), &published->catalog.endpoints[1]);
  catalog.endpoints[1].path = "/a";
  EXPECT_EQ(publish_error(catalog), "two endpoints have the path /a; give one another path");
}

}  // namespace
}  // namespace maas
