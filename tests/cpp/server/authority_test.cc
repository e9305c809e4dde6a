// SPDX-License-Identifier: Apache-2.0
#include "maas/server/authority.h"

#include <string>

#include <gtest/gtest.h>

namespace maas {
namespace {

TEST(Authority, has_a_host_and_perhaps_a_port) {
  for (const char* host : {"localhost", "a.b-c_d", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"}) {
    const auto alone = parse_authority(host);
    ASSERT_TRUE(alone) << host;
    EXPECT_EQ(alone->host, host);
    EXPECT_FALSE(alone->port);
    const std::string text = std::string(host) + ":8000";
    const auto with_port = parse_authority(text);
    ASSERT_TRUE(with_port) << host;
    EXPECT_EQ(with_port->host, host);
    EXPECT_EQ(with_port->port, 8000);
  }
}

TEST(Authority, may_be_empty_and_so_may_its_port) {
  ASSERT_TRUE(parse_authority(""));
  EXPECT_EQ(parse_authority("")->host, "");
  ASSERT_TRUE(parse_authority("a:"));
  EXPECT_FALSE(parse_authority("a:")->port);
  EXPECT_EQ(parse_authority("a:00065535")->port, 65535);
}

TEST(Authority, what_is_none_is_refused) {
  for (const char* text : {"a b",
                           "a/b",
                           "user@a",
                           "a?",
                           "a#b",
                           "a\\b",
                           "a,a",
                           "a%41",
                           "a\tb",
                           "a:80:80",
                           "a:8x",
                           "a:-1",
                           "a:+1",
                           "a: 1",
                           "a:65536",
                           "a:99999999999999999999",
                           "[::1",
                           "::1",
                           "[]",
                           "[::1]x",
                           "[::1]]",
                           "[g::]",
                           "[fe80::1%eth0]",
                           "\"a\"",
                           "a\x01",
                           "a\xa0",
                           "a;b"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
  EXPECT_FALSE(parse_authority(std::string("a\0", 2)));
  EXPECT_FALSE(parse_authority(std::string(256, 'a')));
}

}  // namespace
}  // namespace maas
