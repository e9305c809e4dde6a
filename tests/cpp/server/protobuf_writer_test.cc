// SPDX-License-Identifier: Apache-2.0
#include "maas/server/protobuf_writer.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "maas/server/protobuf_reader.h"

namespace maas {
namespace {

TEST(ProtobufWriter, numbers_are_read_back) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{16383},
        std::uint64_t{16384}, std::uint64_t{1} << 63U, std::numeric_limits<std::uint64_t>::max()}) {
    std::string bytes;
    append_varint(bytes, value);
    std::string_view rest = bytes;
    EXPECT_EQ(take_varint(rest), value);
    EXPECT_TRUE(rest.empty());
  }
}

TEST(ProtobufWriter, fields_are_written_as_the_encoding_has_them) {
  std::string message;
  append_protobuf(message, 2, "testing");
  EXPECT_EQ(message, "\x12\x07testing");
  message.clear();
  append_protobuf(message, 16, std::string(300, 'x'));
  EXPECT_EQ(message.substr(0, 4), "\x82\x01\xac\x02");
  EXPECT_EQ(message.size(), 304U);
  message.clear();
  append_protobuf_head(message, 1, 3);
  EXPECT_EQ(message, "\x0a\x03");
}

}  // namespace
}  // namespace maas
