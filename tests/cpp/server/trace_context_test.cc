// SPDX-License-Identifier: Apache-2.0
#include "maas/server/trace_context.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

const std::string& good_parent() {
  static const std::string kText = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  return kText;
}

TraceContext read(const std::vector<Header>& headers) {
  return TraceContext::read(headers);
}

TEST(TraceContext, is_read_from_its_field) {
  const TraceContext trace = read({{"A", "b"}, {"TraceParent", good_parent()}});
  EXPECT_FALSE(trace.empty());
  EXPECT_EQ(trace.traceparent(), good_parent());
  EXPECT_EQ(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
}

TEST(TraceContext, of_a_later_version_is_read_as_far_as_it_is_known) {
  EXPECT_EQ(read({{"traceparent", "cc" + good_parent().substr(2) + "-more"}}).traceparent(),
            "cc" + good_parent().substr(2));
}

TEST(TraceContext, is_none_when_absent_twice_or_malformed) {
  EXPECT_TRUE(read({}).empty());
  EXPECT_EQ(read({}).trace_id(), "");
  EXPECT_TRUE(read({{"traceparent", good_parent()}, {"traceparent", good_parent()}}).empty());
  for (const std::string& text :
       {std::string(), good_parent().substr(1), good_parent() + "0", good_parent() + "-00",
        "ff" + good_parent().substr(2), "0G" + good_parent().substr(2),
        good_parent().substr(0, 54) + "G", "00-" + std::string(32, '0') + good_parent().substr(35),
        good_parent().substr(0, 36) + std::string(16, '0') + "-01",
        "00-0AF7651916CD43DD8448EB211C80319C" + good_parent().substr(35), std::string(55, '-'),
        std::string(1000, '0')}) {
    EXPECT_TRUE(read({{"traceparent", text}}).empty()) << text;
  }
}

TEST(TraceContext, that_is_made_is_valid_and_new) {
  const TraceContext one = TraceContext::make();
  const std::string text(one.traceparent());
  EXPECT_EQ(read({{"traceparent", text}}).traceparent(), text);
  EXPECT_NE(TraceContext::make().trace_id(), one.trace_id());
}

TEST(TraceContext, is_passed_on_as_it_came_and_not_at_all_when_malformed) {
  const auto names = [](const std::vector<Header>& headers, const TraceContext& trace) {
    std::string text;
    for (const Header& header : traced(headers, trace)) {
      text += std::string(header.name) + "=" + std::string(header.value) + " ";
    }
    return text;
  };
  const std::vector<Header> good = {
      {"traceparent", good_parent()}, {"A", "b"}, {"tracestate", "c=d"}};
  EXPECT_EQ(names(good, read(good)), "traceparent=" + good_parent() + " A=b tracestate=c=d ");
  const std::vector<Header> bad = {{"traceparent", "x"}, {"A", "b"}, {"tracestate", "c=d"}};
  EXPECT_EQ(names(bad, read(bad)), "A=b ");
  EXPECT_EQ(names(bad, read(good)), "A=b traceparent=" + good_parent() + " ");
}

}  // namespace
}  // namespace maas
