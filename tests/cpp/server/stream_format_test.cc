// SPDX-License-Identifier: Apache-2.0
#include "maas/server/stream_format.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace maas {
namespace {

std::optional<StreamFormat> chosen(const std::vector<Header>& headers) {
  return choose_stream_format(headers);
}
std::optional<StreamFormat> accepting(std::string_view value) {
  return chosen({{"accept", value}});
}

TEST(StreamFormat, events_unless_told_otherwise) {
  for (const auto* value :
       {"*/*", "text/event-stream", "text/*", "text/html, */*;q=0.1",
        "application/x-ndjson;q=0.5, text/event-stream;q=0.5", "TEXT/Event-Stream", ""}) {
    EXPECT_EQ(accepting(value), StreamFormat::kEvents) << value;
  }
  EXPECT_EQ(chosen({}), StreamFormat::kEvents);
}

TEST(StreamFormat, lines_where_they_are_wanted_more) {
  for (const auto* value :
       {"application/x-ndjson", "application/jsonl", "application/*",
        "text/event-stream;q=0.2, application/x-ndjson;q=0.9", "*/*;q=0.1, application/jsonl",
        "text/event-stream;q=0, */*", "application/x-ndjson ; charset=utf-8 ; q=1.0"}) {
    EXPECT_EQ(accepting(value), StreamFormat::kLines) << value;
  }
}

TEST(StreamFormat, neither_where_neither_is_accepted) {
  for (const auto* value : {"application/json", "text/html, image/png", "*/*;q=0",
                            "text/event-stream;q=0", "application/x-ndjson;q=0.0"}) {
    EXPECT_EQ(accepting(value), std::nullopt) << value;
  }
}

TEST(StreamFormat, several_fields_count_together) {
  EXPECT_EQ(chosen({{"Accept", "text/html"}, {"X", "y"}, {"Accept", "application/x-ndjson"}}),
            StreamFormat::kLines);
}

TEST(StreamFormat, items_are_numbered_events_or_lines_or_bytes) {
  std::string out;
  append_item(out, StreamFormat::kEvents, 0, R"("a")");
  append_item(out, StreamFormat::kEvents, 12, "{}");
  EXPECT_EQ(out, "id: 0\ndata: \"a\"\n\nid: 12\ndata: {}\n\n");
  out.clear();
  append_item(out, StreamFormat::kLines, 0, "1");
  append_item(out, StreamFormat::kLines, 1, "2");
  EXPECT_EQ(out, "1\n2\n");
  out.clear();
  append_item(out, StreamFormat::kBytes, 0, "ab");
  append_item(out, StreamFormat::kBytes, 1, "c");
  EXPECT_EQ(out, "abc");
}

TEST(StreamFormat, failure_says_why_with_which_status_and_where) {
  const Error error(ErrorCode::kUnavailable, "say \"no\"\n");
  std::string out;
  append_failure(out, StreamFormat::kEvents, error, "id7");
  EXPECT_EQ(out,
            "event: error\ndata: {\"error\":\"say \\\"no\\\"\\n\",\"status\":503,"
            "\"request_id\":\"id7\"}\n\n");
  out.clear();
  append_failure(out, StreamFormat::kLines, Error(ErrorCode::kUnprocessable, "x", "[1]"), "i");
  EXPECT_EQ(out, "{\"error\":\"x\",\"status\":422,\"request_id\":\"i\",\"detail\":[1]}\n");
  out.clear();
  append_failure(out, StreamFormat::kBytes, error, "i");
  EXPECT_EQ(out, "");
}

TEST(StreamFormat, chunks_have_their_length_and_an_empty_one_is_not_written) {
  std::string out;
  append_chunk(out, "");
  EXPECT_EQ(out, "");
  append_chunk(out, "hello");
  append_chunk(out, std::string(26, 'x'));
  EXPECT_EQ(out, "5\r\nhello\r\n1a\r\n" + std::string(26, 'x') + "\r\n");
}

}  // namespace
}  // namespace maas
