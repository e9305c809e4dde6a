// SPDX-License-Identifier: Apache-2.0
#include "maas/server/form_urlencoded.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maas/base/error.h"
#include "maas/server/multipart.h"

namespace maas {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(FormUrlencoded, pairs_are_decoded_in_their_order) {
  EXPECT_THAT(parse_urlencoded("a=1&b=x+y%2Bz&a=%C3%A9&&c&=d&e=f=g"),
              ElementsAre(Pair("a", "1"), Pair("b", "x y+z"), Pair("a", "\xC3\xA9"), Pair("c", ""),
                          Pair("", "d"), Pair("e", "f=g")));
  EXPECT_THAT(parse_urlencoded(""), IsEmpty());
}

TEST(FormUrlencoded, broken_escapes_and_bytes_that_are_no_text_are_refused) {
  for (const char* text : {"a=%", "a=%4", "a=%zz", "%FF=1", "a=\xC3"}) {
    EXPECT_THROW(parse_urlencoded(text), Error) << text;
  }
}

TEST(FormUrlencoded, pairs_are_bounded) {
  std::string text;
  for (std::size_t i = 0; i < kMaxFormParts; ++i) {
    text += "a=1&";
  }
  EXPECT_EQ(parse_urlencoded(text).size(), kMaxFormParts);
  EXPECT_THROW(parse_urlencoded(text + "a=1"), Error);
}

}  // namespace
}  // namespace maas
