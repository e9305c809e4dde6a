// SPDX-License-Identifier: Apache-2.0
#include "maas/server/protobuf_reader.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

using ::testing::HasSubstr;

// Why the message is refused; empty when all its fields are read.
std::string problem(std::string_view message) {
  try {
    ProtobufReader reader(message);
    while (reader.next()) {
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "";
}

TEST(ProtobufReader, every_kind_of_field_is_read) {
  // The examples of the encoding's documentation: 150 as a number, "testing" as bytes.
  const std::string_view message(
      "\x08\x96\x01"
      "\x12\x07testing"
      "\x1d\x01\x00\x00\x80"
      "\x21\x02\x00\x00\x00\x00\x00\x00\x40"
      "\xf8\xff\xff\xff\x0f\x00",
      3 + 9 + 5 + 9 + 6);
  ProtobufReader reader(message);
  auto field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 1U);
  EXPECT_EQ(field->as_varint(), 150U);
  field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 2U);
  EXPECT_EQ(field->as_bytes(), "testing");
  field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->type, WireType::kFixed32);
  EXPECT_EQ(field->value, 0x80000001U);
  field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->type, WireType::kFixed64);
  EXPECT_EQ(field->value, 0x4000000000000002U);
  field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, (1U << 29U) - 1);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(ProtobufReader, what_ends_too_early_is_refused) {
  for (const std::string_view message :
       {std::string_view("\x08"), std::string_view("\x08\x96"), std::string_view("\x12\x07test"),
        std::string_view("\x1d\x01\x00", 3), std::string_view("\x21\x01\x00", 3),
        std::string_view("\x80")}) {
    EXPECT_THAT(problem(message), HasSubstr("ends inside a field")) << message.size();
  }
}

TEST(ProtobufReader, what_no_encoder_writes_is_refused) {
  EXPECT_THAT(problem(std::string_view("\x00\x01", 2)), HasSubstr("has no number"));
  EXPECT_THAT(problem("\x80\x80\x80\x80\x10\x01"), HasSubstr("has no number"));  // 2^29
  EXPECT_THAT(problem("\x0f"), HasSubstr("field 1 is of no known kind"));
  EXPECT_THAT(problem("\x0c"), HasSubstr("field 1 is of no known kind"));  // the end of a group
  EXPECT_THAT(problem("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), HasSubstr("ends inside"));
}

TEST(ProtobufReader, groups_are_passed_over) {
  // Group 1 with a number, bytes and group 2 inside; behind it field 3.
  const std::string_view message("\x0b\x08\x01\x12\x01x\x13\x14\x0c\x18\x07");
  ProtobufReader reader(message);
  const auto field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 3U);
  EXPECT_EQ(field->as_varint(), 7U);
  EXPECT_FALSE(reader.next());
  EXPECT_THAT(problem("\x0b\x08\x01"), HasSubstr("ends inside"));
  EXPECT_THAT(problem("\x0b\x14"), HasSubstr("was not begun"));
  EXPECT_THAT(problem(std::string(200, '\x0b')), HasSubstr("too deep"));
  EXPECT_THAT(problem("\x0b\x0f"), HasSubstr("no known kind"));
}

TEST(ProtobufReader, numbers_have_64_bits) {
  std::string_view most("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x");
  EXPECT_EQ(take_varint(most), 0xFFFFFFFFFFFFFFFFU);
  EXPECT_EQ(most, "x");
  std::string_view more("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  EXPECT_THROW(take_varint(more), Error);
  std::string_view longer("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
  EXPECT_THROW(take_varint(longer), Error);
  std::string_view padded("\x81\x80\x00", 3);  // longer than it must be, which is allowed
  EXPECT_EQ(take_varint(padded), 1U);
}

TEST(ProtobufReader, a_field_of_another_kind_is_refused_by_its_number) {
  const ProtobufField number{3, WireType::kVarint};
  const ProtobufField bytes{4, WireType::kBytes, 0, "\xff"};
  EXPECT_THROW((void)number.as_bytes(), Error);
  EXPECT_THROW((void)bytes.as_varint(), Error);
  EXPECT_EQ(bytes.as_bytes(), "\xff");
  try {
    (void)bytes.as_text();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the message is malformed: field 4 is not UTF-8");
  }
}

}  // namespace
}  // namespace maas
