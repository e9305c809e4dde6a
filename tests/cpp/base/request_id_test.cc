// SPDX-License-Identifier: Apache-2.0
#include "maas/base/request_id.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "on_threads.h"
#include <gtest/gtest.h>

namespace maas {
namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  EXPECT_TRUE(error == std::errc() && end == text.data() + text.size()) << text;
  return value;
}

TEST(RequestId, is_empty_until_made_and_then_16_hex_digits) {
  EXPECT_EQ(RequestId().text(), "");
  const RequestId id = RequestId::next();
  EXPECT_EQ(id.text().size(), 16U);
  EXPECT_EQ(id.text().find_first_not_of("0123456789abcdef"), std::string_view::npos);
  const RequestId copy = id;
  EXPECT_EQ(copy.text(), id.text());
}

TEST(RequestId, of_a_client_is_taken_when_it_is_fit_to_be_written_anywhere) {
  for (const std::string& id : {std::string("a"), std::string("0af7-651.9_1~6"),
                                std::string("Root=1-67891233-abcdef"), std::string(64, 'x')}) {
    EXPECT_EQ(RequestId::accepted(id).text(), id);
  }
  for (const std::string& id : {std::string(), std::string(65, 'x'), std::string("a b"),
                                std::string("a\nb"), std::string("a\"b"), std::string("\xc3\xa4"),
                                std::string("a\0b", 3), std::string("<a>"), std::string("a,b")}) {
    EXPECT_EQ(RequestId::accepted(id).text(), "") << id;
  }
}

TEST(RequestId, is_unique_across_threads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  std::vector<std::vector<RequestId>> made(kThreads);
  testing::run_on_threads(kThreads, [&](std::size_t t) {
    made[t].reserve(kEach);
    for (int i = 0; i < kEach; ++i) {
      made[t].push_back(RequestId::next());
    }
  });
  std::set<std::string> all;
  for (const auto& mine : made) {
    for (const RequestId& id : mine) {
      all.emplace(id.text());
    }
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kEach));
}

// SplitMix64's finaliser undone, step by step.
std::uint64_t undo_mix(std::uint64_t x) {
  x ^= (x >> 31U) ^ (x >> 62U);
  x *= 0x319642b2d24d8ec3U;
  x ^= (x >> 27U) ^ (x >> 54U);
  x *= 0x96de1b173f119089U;
  return x ^ (x >> 30U) ^ (x >> 60U);
}

TEST(RequestId, does_not_betray_the_next_one) {
  const std::uint64_t first = number(RequestId::next().text());
  const std::uint64_t second = number(RequestId::next().text());
  EXPECT_NE(undo_mix(second) - undo_mix(first), 1U);
  EXPECT_NE(undo_mix(second) ^ undo_mix(first), 1U);
  EXPECT_NE(second - first, 1U);
}

}  // namespace
}  // namespace maas
