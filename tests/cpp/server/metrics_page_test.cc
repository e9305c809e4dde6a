// SPDX-License-Identifier: Apache-2.0
#include "maas/server/metrics_page.h"

#include <map>
#include <regex>
#include <sstream>
#include <string>

#include "harness.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maas {
namespace {

// A page of the format: samples by name and labels. Checks what a scraper would.
struct Page {
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;

  explicit Page(const std::string& text) {
    const std::string label = R"re([a-z]+="([^"\\\n]|\\["\\n])*")re";
    const std::regex sample("([a-z_]+)(\\{" + label + "(," + label + ")*\\})? (\\S+)");
    const std::regex head(R"(# (HELP|TYPE) ([a-z_]+) (.+))");
    std::istringstream lines(text);
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
      if (std::regex_match(line, match, head)) {
        EXPECT_TRUE(match[1] == "HELP" || types.emplace(match[2], match[3]).second) << line;
        continue;
      }
      const bool is_sample = std::regex_match(line, match, sample);
      EXPECT_TRUE(is_sample) << line;
      if (is_sample) {
        const std::string key = match[1].str() + match[2].str();
        EXPECT_TRUE(samples.emplace(key, std::stod(match[6])).second) << "twice: " << line;
      }
    }
    EXPECT_TRUE(text.ends_with('\n'));
  }
};

Page page_of(const testing::Harness& harness, const Catalog& catalog) {
  std::string text;
  write_metrics(harness.state, catalog, text);
  return Page(text);
}

TEST(MetricsPage, every_series_of_a_model_is_there) {
  testing::Harness harness;
  Catalog catalog;
  catalog.models = {harness.serve("m", std::make_shared<testing::AddOne>(testing::floats({1})))};
  ModelStats& stats = catalog.models[0]->batcher().stats();
  stats.requests.add(3);
  stats.count_error(ErrorCode::kOverloaded);
  stats.queued.add(2);
  stats.in_flight.add(4);
  stats.batch_rows.observe(2);
  stats.batch_rows.observe(5000);
  const Page page = page_of(harness, catalog);
  EXPECT_EQ(page.samples.at(R"(maas_requests_total{model="m",version="1"})"), 3);
  EXPECT_EQ(page.samples.at(R"(maas_errors_total{model="m",version="1",reason="overloaded"})"), 1);
  EXPECT_EQ(page.samples.at(R"(maas_queue_depth{model="m",version="1"})"), 2);
  EXPECT_EQ(page.samples.at(R"(maas_in_flight{model="m",version="1"})"), 4);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_bucket{model="m",version="1",le="1"})"), 0);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_bucket{model="m",version="1",le="2"})"), 1);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_bucket{model="m",version="1",le="1024"})"), 1);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_bucket{model="m",version="1",le="+Inf"})"), 2);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_count{model="m",version="1"})"), 2);
  EXPECT_EQ(page.samples.at(R"(maas_batch_size_sum{model="m",version="1"})"), 5002);
  for (const char* histogram : {"maas_queue_seconds", "maas_batch_seconds", "maas_compute_seconds",
                                "maas_request_seconds"}) {
    EXPECT_EQ(page.types.at(histogram), "histogram");
  }
}

TEST(MetricsPage, the_server_counts_its_answers) {
  testing::Harness harness;
  harness.state.count_answer(200);
  harness.state.count_answer(204);
  harness.state.count_answer(404);
  harness.state.connections.add(5);
  const Page page = page_of(harness, {});
  EXPECT_EQ(page.samples.at(R"(maas_http_requests_total{code="2xx"})"), 2);
  EXPECT_EQ(page.samples.at(R"(maas_http_requests_total{code="4xx"})"), 1);
  EXPECT_EQ(page.samples.at("maas_connections"), 5);
  EXPECT_EQ(page.samples.at("maas_ready"), 1);
  EXPECT_EQ(page.types.at("maas_http_requests_total"), "counter");
  EXPECT_EQ(page.types.at("maas_connections"), "gauge");
}

TEST(MetricsPage, a_model_behind_an_endpoint_is_counted_once_and_its_name_is_escaped) {
  testing::Harness harness;
  Catalog catalog;
  const auto model = harness.serve("/a\"\\\n", std::make_shared<testing::Texts>(1, ""));
  catalog.models = {model};
  catalog.endpoints.resize(2);
  catalog.endpoints[0].model = model;
  catalog.endpoints[1].model = model;
  const Page page = page_of(harness, catalog);
  EXPECT_EQ(page.samples.count(R"(maas_requests_total{model="/a\"\\\n",version="1"})"), 1U);
}

}  // namespace
}  // namespace maas
