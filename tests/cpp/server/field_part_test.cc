// SPDX-License-Identifier: Apache-2.0
#include "maas/server/field_part.h"

#include <string>

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(FieldPart, parts_come_out_as_they_were_packed) {
  const std::string bytes("\x00\x01\xFF", 3);
  std::string packed;
  append_part(packed, {FieldPart::Form::kFile, "image/png", "a.png", bytes});
  append_part(packed, {FieldPart::Form::kText, {}, {}, ""});
  ASSERT_TRUE(holds_parts(packed));
  const auto parts = unpack_parts(packed);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].form, FieldPart::Form::kFile);
  EXPECT_EQ(parts[0].content_type, "image/png");
  EXPECT_EQ(parts[0].filename, "a.png");
  EXPECT_EQ(parts[0].data, bytes);
  EXPECT_EQ(parts[1].form, FieldPart::Form::kText);
  EXPECT_EQ(parts[1].data, "");
}

TEST(FieldPart, json_is_told_apart_from_parts) {
  for (const char* text : {"", "1", "\"a\"", "{}", " null"}) {
    EXPECT_FALSE(holds_parts(text));
  }
}

TEST(FieldPart, parts_that_are_cut_short_are_never_read_beyond_their_end) {
  std::string packed;
  append_part(packed, {FieldPart::Form::kFile, "a/b", "c", "data"});
  for (std::size_t size = 1; size < packed.size(); ++size) {
    EXPECT_THROW(std::ignore = unpack_parts(std::string_view(packed).substr(0, size)), Error);
  }
}

}  // namespace
}  // namespace maas
