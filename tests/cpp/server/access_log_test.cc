// SPDX-License-Identifier: Apache-2.0
#include "maas/server/access_log.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maas/base/error.h"
#include "maas/server/json_reader.h"

namespace maas {
namespace {

using ::testing::HasSubstr;

AccessRecord example() {
  AccessRecord record;
  record.unix_ms = 1'700'000'000'123;
  record.took = std::chrono::microseconds(1500);
  record.bytes_in = 12;
  record.bytes_out = 34;
  record.status = 200;
  record.id = RequestId::accepted("abc");
  record.method.set("GET");
  record.path.set("/a");
  record.client.set("127.0.0.1:5");
  return record;
}

std::string text_of(const AccessRecord& record) {
  std::string line;
  append_text_line(line, record);
  return line;
}

struct AccessLogFile : ::testing::Test {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("maas_access_" + std::to_string(::getpid()) + ".log");
  Counter dropped;

  ~AccessLogFile() override { std::filesystem::remove(path); }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST(AccessLine, says_who_asked_what_and_what_came_of_it) {
  EXPECT_EQ(text_of(example()),
            "2023-11-14T22:13:20.123Z access  127.0.0.1:5 GET /a 200 1.500ms 12B in 34B out "
            "[abc]\n");
}

TEST(AccessLine, is_an_object_in_json) {
  AccessRecord record = example();
  record.trace.set("0af7");
  std::string line;
  append_json_line(line, record);
  EXPECT_EQ(line,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"message\":\"access\","
            "\"client\":\"127.0.0.1:5\",\"method\":\"GET\",\"path\":\"/a\",\"status\":200,"
            "\"duration_ms\":1.500,\"bytes_in\":12,\"bytes_out\":34,\"request_id\":\"abc\","
            "\"trace_id\":\"0af7\"}\n");
}

TEST(AccessLine, holds_nothing_raw_and_nothing_long_of_what_a_client_sent) {
  AccessRecord record = example();
  record.path.set("/a\n\"\\\xff " + std::string(1000, 'x'));
  EXPECT_THAT(text_of(record), HasSubstr(" /a%0A%22%5C%FF%20xxx"));
  EXPECT_THAT(text_of(record), HasSubstr("x... 200"));
  EXPECT_LT(text_of(record).size(), 300U);
  std::string json;
  append_json_line(json, record);
  JsonReader reader(json);
  reader.skip();
  reader.finish();
}

TEST_F(AccessLogFile, has_a_line_for_each_record_of_each_thread) {
  {
    AccessLog log(path, AccessLog::Format::kText, dropped);
    AccessLog::Ring& one = log.add_ring();
    AccessLog::Ring& two = log.add_ring();
    for (int i = 0; i < 100; ++i) {
      one.note(example());
      two.note(example());
    }
  }
  const std::string lines = text();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 200);
  EXPECT_EQ(dropped.value(), 0U);
}

TEST_F(AccessLogFile, is_appended_to) {
  for (int i = 0; i < 2; ++i) {
    AccessLog(path, AccessLog::Format::kJson, dropped).add_ring().note(example());
  }
  const std::string lines = text();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST_F(AccessLogFile, that_nobody_reads_drops_and_counts_and_holds_nobody_up) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  {
    AccessLog log(path, AccessLog::Format::kText, dropped);
    AccessLog::Ring& ring = log.add_ring();
    while (dropped.value() == 0) {
      ring.note(example());
    }
  }
  EXPECT_GT(dropped.value(), 0U);
}

TEST_F(AccessLogFile, that_cannot_be_opened_is_an_error_that_names_it) {
  try {
    const AccessLog log("/nowhere/at/all", AccessLog::Format::kText, dropped);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("'/nowhere/at/all'"));
  }
}

}  // namespace
}  // namespace maas
