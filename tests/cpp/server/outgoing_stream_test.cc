// SPDX-License-Identifier: Apache-2.0
#include "maas/server/outgoing_stream.h"

#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace maas {
namespace {

using namespace std::chrono_literals;
using Step = OutgoingStream::Step;

class OutgoingStreamTest : public ::testing::Test {
 protected:
  void begin(StreamFormat format = StreamFormat::kLines, bool chunked = false) {
    stream_.begin({items_, format, 30s, &stats_}, "id1", chunked, now_);
  }
  // What append() gives, with what it said.
  std::string append(Step expected) {
    std::string out;
    EXPECT_EQ(stream_.append(out, now_), expected);
    return out;
  }

  std::shared_ptr<ItemStream> items_ = std::make_shared<ItemStream>();
  ModelStats stats_;
  TimePoint now_{};
  OutgoingStream stream_;
};

TEST_F(OutgoingStreamTest, sends_what_there_is_and_then_the_end) {
  begin();
  EXPECT_EQ(append(Step::kNothing), "");
  items_->write("1");
  items_->write("2");
  EXPECT_EQ(append(Step::kMore), "1\n2\n");
  items_->write("3");
  items_->end();
  EXPECT_TRUE(stream_.active());
  EXPECT_EQ(append(Step::kLast), "3\n");
  EXPECT_FALSE(stream_.active());
  EXPECT_EQ(stats_.stream_items.value(), 3U);
}

TEST_F(OutgoingStreamTest, all_that_is_taken_at_once_is_one_chunk) {
  begin(StreamFormat::kLines, true);
  items_->write("1");
  items_->write("2");
  EXPECT_EQ(append(Step::kMore), "4\r\n1\n2\n\r\n");
  items_->end();
  EXPECT_EQ(append(Step::kLast), "0\r\n\r\n");
}

TEST_F(OutgoingStreamTest, a_failure_has_no_last_chunk) {
  begin(StreamFormat::kEvents, true);
  items_->write("1");
  items_->end(Error(ErrorCode::kInternal, "no"));
  const std::string out = append(Step::kAborted);
  EXPECT_NE(out.find("id: 0\ndata: 1\n\n"), std::string::npos);
  EXPECT_NE(out.find("event: error\ndata: {\"error\":\"no\""), std::string::npos);
  EXPECT_EQ(out.find("\r\n0\r\n"), std::string::npos);
  EXPECT_EQ(stats_.errors[static_cast<std::size_t>(ErrorCode::kInternal)].value(), 1U);
}

TEST_F(OutgoingStreamTest, quiet_events_say_something_that_means_nothing) {
  begin(StreamFormat::kEvents);
  EXPECT_EQ(stream_.due(), now_ + 15s);
  now_ += 15s;
  EXPECT_EQ(append(Step::kMore), ":\n\n");
  EXPECT_EQ(append(Step::kNothing), "");
  EXPECT_EQ(stream_.due(), now_ + 15s);
}

TEST_F(OutgoingStreamTest, quiet_lines_stay_quiet_until_they_are_late) {
  begin();
  EXPECT_EQ(stream_.due(), now_ + 30s);
  now_ += 29s;
  EXPECT_FALSE(stream_.late(now_));
  EXPECT_EQ(append(Step::kNothing), "");
  now_ += 1s;
  EXPECT_TRUE(stream_.late(now_));
}

TEST_F(OutgoingStreamTest, each_item_gives_the_next_its_time) {
  begin();
  now_ += 20s;
  items_->write("1");
  append(Step::kMore);
  EXPECT_EQ(stream_.due(), now_ + 30s);
}

TEST_F(OutgoingStreamTest, is_ended_from_outside_with_an_error_and_the_writer_learns_of_it) {
  begin();
  items_->write("lost");
  stream_.fail(Error(ErrorCode::kDeadlineExceeded, "late"));
  EXPECT_EQ(append(Step::kAborted), "{\"error\":\"late\",\"status\":504,\"request_id\":\"id1\"}\n");
  EXPECT_EQ(items_->write("2"), ItemStream::Room::kGone);
}

TEST_F(OutgoingStreamTest, a_probe_is_due_at_once) {
  begin();
  stream_.probe();
  EXPECT_LE(stream_.due(), now_);
  EXPECT_EQ(append(Step::kMore), " ");
  EXPECT_EQ(append(Step::kNothing), "");
}

}  // namespace
}  // namespace maas
