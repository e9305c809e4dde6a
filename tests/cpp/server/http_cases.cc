// SPDX-License-Identifier: Apache-2.0
// The requests of tests/data/http_cases, whole and one byte at a time, through the reader alone.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "maas/server/http_status.h"
#include "maas/server/json_reader.h"
#include "maas/server/request_reader.h"

namespace maas {
namespace {

struct Case {
  std::string name{};
  std::string request{};
  std::string parser{};                     // "ready", "refuse", "wait"; empty: not for the parser
  std::vector<std::vector<int>> answers{};  // the statuses that each answer may have
};

// A JSON text has UTF-8; here each character stands for one byte.
std::string latin_1(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes += utf8[i];
    } else {
      const auto next = static_cast<unsigned char>(utf8.at(++i));
      bytes += static_cast<char>(((c & 3U) << 6U) | (next & 0x3FU));
    }
  }
  return bytes;
}

std::string read_text(JsonReader& json) {
  return latin_1(json.string());
}

std::string read_piece(JsonReader& json) {
  std::string text;
  std::int64_t times = 1;
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key == "text") {
      text = read_text(json);
    } else {
      times = std::stoll(std::string(json.skip()));
    }
  }
  std::string whole;
  for (; times > 0; --times) {
    whole += text;
  }
  return whole;
}

std::string read_pieces(JsonReader& json) {
  std::string whole;
  for (json.begin_array(); json.next_item();) {
    whole += read_piece(json);
  }
  return whole;
}

std::vector<int> read_statuses(JsonReader& json) {
  std::vector<int> statuses;
  for (json.begin_array(); json.next_item();) {
    statuses.push_back(std::stoi(std::string(json.skip())));
  }
  return statuses;
}

void add_answer(std::vector<int> statuses, Case& into) {
  if (!statuses.empty()) {
    into.answers.push_back(std::move(statuses));
  }
}

void read_answers(JsonReader& json, Case& into) {
  for (json.begin_array(); json.next_item();) {
    into.answers.push_back(read_statuses(json));
  }
}

void read_expectation(JsonReader& json, Case& into) {
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key == "parser") {
      into.parser = read_text(json);
    } else if (*key == "status") {
      add_answer(read_statuses(json), into);
    } else if (*key == "answers") {
      read_answers(json, into);
    } else {
      json.skip();
    }
  }
}

Case read_case(JsonReader& json) {
  Case found;
  json.begin_object();
  while (const auto key = json.next_key()) {
    if (*key == "name") {
      found.name = read_text(json);
    } else if (*key == "request") {
      found.request = read_text(json);
    } else if (*key == "pieces") {
      found.request = read_pieces(json);
    } else if (*key == "expect") {
      read_expectation(json, found);
    } else {
      json.skip();
    }
  }
  return found;
}

std::vector<Case> read_cases(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  std::vector<Case> cases;
  JsonReader json(text);
  for (json.begin_array(); json.next_item();) {
    cases.push_back(read_case(json));
  }
  json.finish();
  return cases;
}

struct Seen {
  std::size_t requests = 0;  // complete ones
  RequestReader::State state = RequestReader::State::kIdle;
  int refusal = 0;  // the status, if it came to that
};

Seen feed(const std::string& request, std::size_t step) {
  ByteBudget bytes(std::size_t{1} << 30U);
  RequestReader reader(HttpLimits{}, bytes);
  Seen seen;
  for (std::size_t at = 0; at < request.size() && seen.refusal == 0;) {
    const std::span<char> space = reader.space();
    const std::size_t n = std::min({step, space.size(), request.size() - at});
    request.copy(space.data(), n, at);
    reader.add(n);
    at += n;
    while (reader.parse() == RequestReader::State::kReady) {
      ++seen.requests;
      reader.next();
    }
    seen.state = reader.state();
    if (seen.state == RequestReader::State::kRefused) {
      seen.refusal = http_status(reader.error());
    }
  }
  return seen;
}

void check(const Case& wanted, const Seen& seen) {
  using State = RequestReader::State;
  const bool refused = wanted.parser == "refuse";
  const bool waits = wanted.parser == "wait";
  EXPECT_EQ(seen.state == State::kRefused, refused) << seen.refusal;
  if (refused) {
    ASSERT_FALSE(wanted.answers.empty());
    const std::vector<int>& statuses = wanted.answers.back();
    EXPECT_NE(std::find(statuses.begin(), statuses.end(), seen.refusal), statuses.end())
        << seen.refusal;
    EXPECT_EQ(seen.requests, wanted.answers.size() - 1);
  } else if (waits) {
    EXPECT_TRUE(seen.state == State::kHead || seen.state == State::kBody);
    EXPECT_EQ(seen.requests, 0U);
  } else {
    EXPECT_EQ(seen.state, State::kIdle);
    EXPECT_EQ(seen.requests, std::max<std::size_t>(wanted.answers.size(), 1));
  }
}

class HttpCases : public ::testing::TestWithParam<const char*> {};

TEST_P(HttpCases, are_read_as_their_rows_say_however_the_bytes_are_divided) {
  const std::filesystem::path folder = std::filesystem::path(MAAS_TEST_DATA) / "http_cases";
  std::size_t count = 0;
  for (const Case& item : read_cases(folder / GetParam())) {
    if (item.parser.empty()) {
      continue;
    }
    SCOPED_TRACE(item.name);
    ++count;
    check(item, feed(item.request, item.request.size()));
    if (item.request.size() < 20'000) {
      check(item, feed(item.request, 1));
      check(item, feed(item.request, 7));
    }
  }
  EXPECT_GT(count, 10U);
}

INSTANTIATE_TEST_SUITE_P(
    Files,
    HttpCases,
    ::testing::Values("a_framing.json", "b_head.json", "c_chunks.json", "d_connection.json"),
    [](const auto& file) { return std::string(file.param).substr(0, 1); });

}  // namespace
}  // namespace maas
